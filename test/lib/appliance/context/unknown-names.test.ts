import { describe, expect, it } from 'vitest'
import { retiredNames, unknownNameNotes } from '../../../../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../../../../lib/appliance/context/variables.ts'

const notesOf = (...names: string[]) =>
  unknownNameNotes(Object.fromEntries(names.map(name => [name, 'CANARY'])), variableNames)

it.each([
  ['ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPILOT_PASWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['oneapp_copilot_password', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPLOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONE_APP_COPILOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['COPILOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPILOT_KEY', 'ONEAPP_COPILOT_KEYS'],
  ['ONEAPP_COPILOT_CONTEXTSIZE', 'ONEAPP_COPILOT_CONTEXT_SIZE'],
  ['ONEAPP-COPILOT-DOMAIN', 'ONEAPP_COPILOT_DOMAIN'],
  ['MY_OWN_APPS_COPILOT__DOMAIN', 'ONEAPP_COPILOT_DOMAIN'],
  ['COPILOTDOMAIN', 'ONEAPP_COPILOT_DOMAIN'],
])('suggests the nearest name to %s', (name, near) => {
  expect(notesOf(name)).toEqual([expect.stringMatching(new RegExp(`^${name} .* Did you mean ${near}\\?$`))])
})

it.each([
  'ONEAPP_COPILOT_SOMETHING_ELSE',
  '_ONE_APPS_SLM-COPILOT.SOMETHING_ELSE',
  'SLM_COPILOT_SOMETHING_ELSE',
  'SLM__COPILOT_SOMETHING_ELSE',
])('reports %s, which resembles no variable', name => {
  expect(notesOf(name)).toEqual([
    `${name} is not a variable of this appliance, and is ignored. See: slm-copilot help.`,
  ])
})

it('suggests a name that differs in up to four letters, and in at most half of a short one', () => {
  expect(notesOf('ONEAPP_COPILOT_RXXE')).toEqual([expect.stringContaining('Did you mean')])
  expect(notesOf('ONEAPP_COPILOT_RXXX')).toEqual([expect.stringContaining('slm-copilot help')])
  expect(notesOf('ONEAPP_COPILOT_PASSW1234')).toEqual([expect.stringContaining('Did you mean')])
  expect(notesOf('ONEAPP_COPILOT_PASS12345')).toEqual([expect.stringContaining('slm-copilot help')])
})

it('sorts the notes by name, and leaves out what cannot be a name', () => {
  const long = `ONEAPP_COPILOT_${'X'.repeat(49)}`
  const notes = notesOf(long, `${long}X`, 'ONEAPP_COPILOT_B', 'ONEAPP_COPILOT_A', 'ONEAPP_COPILOT_ A')
  expect(notes.map(note => note.split(' ')[0])).toEqual(['ONEAPP_COPILOT_A', 'ONEAPP_COPILOT_B', long])
})

it('ignores known names, unrelated ones, and empty values', () => {
  expect(
    notesOf(
      ...variableNames,
      'PATH',
      'ONEAPP_VROUTER_ETH0',
      'SSH_PUBLIC_KEY',
      'PASSWORD',
      'GITHUB_COPILOT_SOMETHING_ELSE',
    ),
  ).toEqual([])
  expect(unknownNameNotes({ ONEAPP_COPILOT_PASSWROD: '' }, variableNames)).toEqual([])
})

it('never reveals a value', () => {
  expect(JSON.stringify(notesOf('ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_X'))).not.toContain('CANARY')
})

describe('a name that an earlier version had', () => {
  const retired = new Map([
    ['ONEAPP_COPILOT_CERTIFICATE', 'ONEAPP_COPILOT_TLS_CERT'],
    // Not the nearest name, but the right one.
    ['ONEAPP_COPILOT_PASSWORT', 'ONEAPP_COPILOT_KEYS'],
    ['ONEAPP_ASSISTANT', 'ONEAPP_COPILOT_MODEL'],
  ])

  it.each([...retired])('%s: it is now called %s', (name, now) => {
    expect(unknownNameNotes({ [name]: 'CANARY' }, variableNames, retired)).toEqual([
      `${name} is no longer a variable of this appliance, and is ignored. It is now called ${now}.`,
    ])
  })

  it('is none of today, and its successor is one', () => {
    expect([...retiredNames.keys()].filter(name => variableNames.includes(name))).toEqual([])
    expect([...retiredNames.values()].filter(name => !variableNames.includes(name))).toEqual([])
  })
})
