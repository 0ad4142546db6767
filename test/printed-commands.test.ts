/** The commands that texts tell users to type exist, with their options, units and targets; and VM tests run them. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { units } from '../lib/appliance/paths.ts'
import { parseCommandLine } from '../lifecycle/cli/command-line.ts'
import {
  commandsIn,
  expected,
  printedCommands,
  printedTargets,
  withNames,
} from './support/printed-commands.ts'

const printed = printedCommands()
/** Not commands: the name in prose, as in "written by slm-copilot at every configure". */
const prose = ['slm-copilot at']
const commands = printed.filter(({ command }) => !prose.includes(command))

it('finds commands, and where they end, in prose, backquotes and blocks', () => {
  const text = `Run \`slm-copilot status\`: it shows. How far it is: slm-copilot fetch-model --retry
see \`systemctl status nginx\`. slm-copilot clients NAME prints one (slm-copilot plan --memory 3G fits).
Written by slm-copilot. slm-copilot nonsense --x; \`/opt/x/slm-copilot models\``
  expect(commandsIn(text)).toEqual([
    'slm-copilot status',
    'slm-copilot fetch-model --retry',
    'slm-copilot clients NAME',
    'slm-copilot plan --memory 3G',
    'slm-copilot nonsense',
    'systemctl status nginx',
  ])
})

describe.each(commands)('$command, in $from', ({ command }) => {
  it('is run on the booted appliance, or listed with the reason why not', () => {
    expect(Object.keys(expected)).toContain(command)
  })

  const [program, ...args] = withNames(command).split(' ')
  it.runIf(program === 'slm-copilot' && !args.includes('COMMAND'))('is accepted by the executable', () => {
    expect(() => parseCommandLine('slm-copilot', args, '/')).not.toThrow()
  })

  const named = command
    .split(' ')
    .filter(word => /^(slm-copilot|nginx|certbot|chrony)[\w-]*(\.\w+)?$/.test(word))
  it.runIf(program !== 'slm-copilot' && named.length > 0)('names existing units', () => {
    const known = [...Object.values(units), 'chrony.service']
    for (const unit of named) expect(known).toContain(unit.includes('.') ? unit : `${unit}.service`)
  })
})

it('lists no command that is not printed any more', () => {
  expect(Object.keys(expected).sort()).toEqual(commands.map(({ command }) => command).sort())
})

it('finds targets in README.md', () => {
  expect(printedTargets()).toContain('test')
})

it.each([...new Set(printedTargets())])('make %s is a target', target => {
  const makefile = readFileSync(join(resolve(import.meta.dirname, '..'), 'Makefile'), 'utf8')
  expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'))
})

it('never mentions sudo, which is not in the image', () => {
  expect(printed.filter(({ command }) => command.includes('sudo'))).toEqual([])
})
