/** What the message of the day becomes, by the framework's text and by what the appliance serves. */
import { describe, expect, it } from 'vitest'
import { messageOfTheDay, type Readiness } from '../../../lib/appliance/readiness.ts'

/** As the real framework and the tests' stand-in write them. */
const logo = `\n    ___   _ __    ___\n   / _ \\ | '_ \\  / _ \\   OpenNebula Service Appliance\n\n`
const framework = {
  success: `${logo} All set and ready to serve 8)\n\n`,
  'success of the stand-in': 'All set and ready to serve\n',
  progress: `${logo} 2/3 Configuration step is in progress...\n\n * PLEASE WAIT *\n\n`,
  failure: `${logo} 3/3 Bootstrap step failed.\n\n * APPLIANCE ERROR *\n\n Read documentation and try to redeploy!\n\n`,
  'failure of the stand-in': 'APPLIANCE ERROR: the configure step failed.\n',
}
const reason = 'llama-server was killed by signal KILL at 10:00:00 UTC; it will be restarted at 10:00:08 UTC.'
const readiness: Record<string, Readiness> = {
  ready: { state: 'ready' },
  serving: { state: 'serving' },
  unavailable: { state: 'unavailable', reason },
}

const shown = (text: keyof typeof framework, state: string) =>
  messageOfTheDay(framework[text], readiness[state] as Readiness)
const onOneLine = (text: string) => text.replace(/\s+/g, ' ')

describe("the framework's own text stays", () => {
  it.each([
    ['success', 'ready'],
    ['success', 'serving'],
    ['progress', 'ready'],
    ['progress', 'serving'],
    ['progress', 'unavailable'],
  ] as const)('%s, while %s', (text, state) => {
    expect(shown(text, state)).toBe(framework[text])
  })
})

describe('while nothing is served', () => {
  it.each(['success', 'success of the stand-in'] as const)('%s gives way to the reason', text => {
    const message = shown(text, 'unavailable')
    expect(message).not.toContain('ready to serve')
    expect(onOneLine(message)).toContain(`SLM-Copilot is not serving: ${reason}`)
    expect(message).toContain('slm-copilot status')
  })

  it.each(['failure', 'failure of the stand-in'] as const)('%s stays, and the reason is added', text => {
    const message = shown(text, 'unavailable')
    expect(message.startsWith(framework[text].trimEnd())).toBe(true)
    expect(onOneLine(message)).toContain(reason)
  })

  it('shows the rest of the framework’s text, and a reason with $ as it is', () => {
    const message = messageOfTheDay(framework.success, { state: 'unavailable', reason: "a$&b$'c" })
    expect(message.startsWith(logo)).toBe(true)
    expect(message).toContain("a$&b$'c")
  })
})

describe('after a failed stage', () => {
  it.each(['failure', 'failure of the stand-in'] as const)('%s: says if it still serves', text => {
    const message = onOneLine(shown(text, 'serving'))
    expect(message).toContain('failed.')
    expect(message).toContain('still serving, with its last good configuration')
    expect(message).not.toContain('ready to serve')
  })

  it.each(['failure', 'failure of the stand-in'] as const)('%s gives way once it is ready', text => {
    expect(onOneLine(shown(text, 'ready'))).toContain('All set and ready to serve')
    expect(shown(text, 'ready')).not.toContain('ERROR')
  })
})

it('fits into 80 columns', () => {
  for (const text of Object.keys(framework) as (keyof typeof framework)[])
    for (const state of Object.keys(readiness))
      for (const line of shown(text, state).split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

const failed = framework['failure of the stand-in'].trim()

it.each<[string, keyof typeof framework, Readiness, string]>([
  [
    'in place of success: the reason',
    'success of the stand-in',
    { state: 'draining', reason: 'it is drained.' },
    ' SLM-Copilot is not serving: it is drained.\n For more, as root: slm-copilot status\n',
  ],
  [
    'after a failed stage: the reason',
    'failure of the stand-in',
    { state: 'unavailable', reason: 'it fell over.' },
    `${failed}\n\n SLM-Copilot is not serving: it fell over.\n For more, as root: slm-copilot status\n\n`,
  ],
  [
    'after a failed stage: that it serves',
    'failure of the stand-in',
    { state: 'serving' },
    `${failed}\n\n SLM-Copilot is still serving, with its last good configuration. For more, as\n` +
      ' root: slm-copilot status\n\n',
  ],
  [
    'after a failed stage: that it is ready since',
    'failure of the stand-in',
    { state: 'ready' },
    "\n All set and ready to serve. The framework's last step had failed;\n" +
      ' SLM-Copilot has become ready since.\n\n',
  ],
])('shows, %s', (_, text, state, message) => {
  expect(messageOfTheDay(framework[text], state)).toBe(message)
})
