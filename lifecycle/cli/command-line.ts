/** Parses the command line into a command, its options and argument, or a usage error. */
import { basename, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nearestName } from '../../lib/appliance/context/spelling.ts'
import type { Command, Option } from './commands/command.ts'
import { type CommandName, commandOf, commands } from './commands.ts'
import { UsageError } from './usage-error.ts'

/** Options by name: the given value, or true for an option without value. */
export type OptionValues = Record<string, string | true | undefined>

export type CommandLine =
  | { kind: 'version' }
  | { kind: 'overview' }
  | { kind: 'usage'; name: CommandName }
  | { kind: 'run'; name: CommandName; values: OptionValues; argument: string | undefined }

const stagesByName = ['install', 'configure', 'bootstrap']
const helpOptions = ['--help', '-h']

/** Parses a command line; throws a UsageError. Paths are resolved against `folder`, the working directory. */
export function parseCommandLine(calledAs: string, args: string[], folder: string): CommandLine {
  const called = basename(calledAs)
  if (stagesByName.includes(called)) return parseCommand(called, args, folder)
  const [name, ...rest] = args
  if (name === undefined || (helpOptions.includes(name) && rest.length === 0)) return { kind: 'overview' }
  if (name === '--version' && rest.length === 0) return { kind: 'version' }
  if (helpOptions.includes(name)) return parseCommand('help', rest, folder)
  return parseCommand(name, rest, folder)
}

/** A suggestion of the intended name, as a sentence; empty if none is close. */
const hint = (name: string, known: string[]) => {
  const near = nearestName(name, known)
  return near === undefined ? '' : ` Did you mean ${near}?`
}

/** Checks that a command exists. Throws a UsageError if not. */
function commandName(name: string): CommandName {
  if (commandOf(name) !== undefined) return name as CommandName
  const known = Object.keys(commands)
  const what = name.startsWith('-') ? `unknown option ${name}` : `unknown command "${name}"`
  throw new UsageError(
    `slm-copilot: ${what}.${hint(name, [...known, '--help', '--version'])} See: slm-copilot --help`,
  )
}

function parseCommand(given: string, args: string[], folder: string): CommandLine {
  const name = commandName(given)
  const command: Command = commands[name]
  const options: Record<string, Option> = { ...command.options, help: { help: '' } }
  const wrong = (what: string): never => {
    throw new UsageError(`slm-copilot ${name}: ${what} See: slm-copilot ${name} --help`)
  }
  const { tokens } = parseArgs({
    args: args.map(arg => (arg === '-h' ? '--help' : arg)),
    options: Object.fromEntries(
      Object.entries(options).map(([option, { argument }]) => [
        option,
        { type: argument === undefined ? 'boolean' : 'string' },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const values: OptionValues = {}
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const known = Object.hasOwn(options, token.name) ? options[token.name] : undefined
    if (known === undefined || !token.rawName.startsWith('--')) {
      const names = Object.keys(options).map(option => `--${option}`)
      return wrong(`unknown option ${token.rawName}.${hint(token.rawName, names)}`)
    }
    if (values[token.name] !== undefined) return wrong(`--${token.name} is given twice.`)
    const value = givenTo(token, known)
    if (typeof value === 'object') return wrong(value.problem)
    values[token.name] = known.isPath && value !== true ? resolve(folder, value) : value
  }
  if (values.help) return { kind: 'usage', name }
  const [argument, ...more] = positionals
  if (command.argument === undefined && argument !== undefined)
    return wrong(`unexpected argument "${argument}".`)
  if (more.length > 0) return wrong(`takes one ${command.argument}, got ${positionals.length}.`)
  if (name === 'help' && argument !== undefined) return { kind: 'usage', name: commandName(argument) }
  return { kind: 'run', name, values, argument }
}

type Token = { name: string; value?: string | undefined; inlineValue?: boolean | undefined }

/** An option's value, or what is wrong with it. */
function givenTo(
  { name, value, inlineValue }: Token,
  { argument }: Option,
): string | true | { problem: string } {
  if (argument === undefined)
    return value === undefined ? true : { problem: `--${name} takes no value, got "${value}".` }
  if (value === undefined || value === '')
    return { problem: `--${name} takes a value: --${name} ${argument}.` }
  if (value.startsWith('-') && !inlineValue)
    return { problem: `--${name} takes a value, got "${value}" (if that is meant: --${name}=${value}).` }
  return value
}
