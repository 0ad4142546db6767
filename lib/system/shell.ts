/** Runs programs with zx, in a clean environment; errors quote the end of their output. */
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { Log } from './log.ts'

/** A program's result. `exitCode` is 128 + N if signal N ended it, as in a shell. */
export type Output = { exitCode: number; stdout: string; stderr: string }

export type CommandOptions = {
  /** Standard input; empty if absent. */
  input?: string | Readable
  /** Variables in addition to `childEnvironment`; never secrets. */
  env?: Record<string, string>
  /** Called with each line of standard output as it is printed. */
  onLine?: (line: string) => void
}

/** A value in a command: one word, quoted by zx; of an array, each element is a word. Never a secret. */
type Argument = string | number | readonly string[]

/** A running program: a promise of its output, which rejects with a CommandError if the program fails. */
export type Running = Promise<Output> & {
  /** Resolves with the output whatever the exit code. */
  nothrow(): Running
  /** The output if the program has ended. */
  output(): Output | undefined
  /** Kills the program, but not its children, and waits until its output is closed. */
  kill(): Promise<void>
}

/** zx's `$`: `` $`systemctl reload ${unit}` ``, or with options `` $({ input })`diff ${path} -` ``. */
export type Shell = {
  (pieces: TemplateStringsArray, ...args: Argument[]): Running
  (options: CommandOptions): Shell
}

/** A command's template, before quoting. */
export type ShellCommand = { pieces: TemplateStringsArray; args: Argument[]; options: CommandOptions }

type RunningCommand = { commandLine: string; ended: Promise<Output>; kill(): void }

/** How a host runs commands: really, or by logging them. */
export type Execute = (command: ShellCommand) => Promise<RunningCommand>

/** Children inherit none of our variables, which include the context and its secrets. */
export const childEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
}

/** Lines of output quoted in an error. */
const quotedLines = 12

/** The last lines of a program's output. */
export const tailOf = ({ stdout, stderr }: Output): string =>
  `${stdout}\n${stderr}`.trim().split('\n').slice(-quotedLines).join('\n')

/** `failed with exit code 1`, `was ended by SIGKILL`. */
function endingOf({ exitCode }: Output): string {
  const signal = Object.entries(constants.signals).find(([, number]) => exitCode === 128 + number)
  return signal === undefined ? `failed with exit code ${exitCode}` : `was ended by ${signal[0]}`
}

class CommandError extends Error {
  readonly output: Output

  constructor(commandLine: string, output: Output) {
    super(`\`${commandLine}\` ${endingOf(output)}:\n${tailOf(output)}`)
    this.output = output
  }
}

/** All settings that zx would otherwise read from `ZX_*` variables in our environment. */
const settings = {
  shell: '/bin/bash',
  prefix: 'set -euo pipefail;',
  postfix: '',
  cwd: '/',
  verbose: false,
  quiet: true,
  nothrow: true,
  detached: false,
  preferLocal: false,
}

/** Loaded with the first program to run: many of our commands run none. */
const loadZx = () => import('zx/core')

/** A template for zx without empty arrays, and without the space before each: people read the command. */
function withoutEmptyArrays({ pieces: [first = '', ...others], args }: ShellCommand) {
  const texts = [first]
  const filled: Argument[] = []
  args.forEach((arg, index) => {
    const [before = '', after = ''] = [texts.at(-1), others[index]]
    if (Array.isArray(arg) && arg.length === 0)
      texts[texts.length - 1] = (/^( |$)/.test(after) ? before.replace(/ $/, '') : before) + after
    else {
      filled.push(arg)
      texts.push(after)
    }
  })
  return { pieces: Object.assign(texts, { raw: texts }), args: filled }
}

/** Runs a command on this machine. */
export const execute: Execute = async command => {
  const { $, quote } = await loadZx()
  const { pieces, args } = withoutEmptyArrays(command)
  const { input, env, onLine } = command.options
  const running = $({
    ...settings,
    quote,
    env: { ...childEnvironment, ...env },
    // zx would leave standard input open if there is no input.
    ...(input ? { input } : { stdio: ['ignore', 'pipe', 'pipe'] }),
  })(pieces, ...args)
  // Ignores EPIPE from a program that ends before it has read all of its input.
  running.child?.stdin?.on('error', () => {})
  const ended = async (): Promise<Output> => {
    if (onLine !== undefined) for await (const line of running) onLine(line)
    const { exitCode, signal, stdout, stderr, cause } = await running
    const code = exitCode ?? (signal === null ? 1 : 128 + constants.signals[signal])
    return { exitCode: code, stdout, stderr: stderr || (cause?.message ?? '') }
  }
  // Not zx's kill, which looks for children with ps(1): there are none, bash has exec'd the program.
  return { commandLine: running.cmd, ended: ended(), kill: () => void running.child?.kill('SIGKILL') }
}

/** The command as a shell command line, with values quoted. */
export async function commandLineOf(command: ShellCommand): Promise<string> {
  const { $, quote } = await loadZx()
  const { pieces, args } = withoutEmptyArrays(command)
  return $({ ...settings, quote, halt: true })(pieces, ...args).cmd
}

/** Produces a command's output without running it. */
export const answering =
  (answer: (commandLine: string) => Output): Execute =>
  async command => {
    const commandLine = await commandLineOf(command)
    return { commandLine, ended: Promise.resolve(answer(commandLine)), kill: () => {} }
  }

/** Logs commands instead of running them. */
export const listing = (log: Log): Execute =>
  answering(commandLine => {
    log.info(`would run: ${commandLine}`)
    return { exitCode: 0, stdout: '', stderr: '' }
  })

/** Fails every command: the service that it would query is not on this machine. */
export const unknown: Execute = answering(() => ({ exitCode: 1, stdout: '', stderr: 'unknown' }))

/** The `$` of a host that runs commands with `by`. */
export function shell(by: Execute, options: CommandOptions = {}): Shell {
  function $(pieces: TemplateStringsArray, ...args: Argument[]): Running
  function $(more: CommandOptions): Shell
  function $(first: TemplateStringsArray | CommandOptions, ...args: Argument[]): Running | Shell {
    return 'raw' in first ? run(by({ pieces: first, args, options })) : shell(by, { ...options, ...first })
  }
  return $
}

function run(process: Promise<RunningCommand>): Running {
  let isThrowing = true
  let output: Output | undefined
  const ended = process.then(async ({ commandLine, ended }) => {
    output = await ended
    if (isThrowing && output.exitCode !== 0) throw new CommandError(commandLine, output)
    return output
  })
  const running: Running = Object.assign(ended, {
    nothrow: () => {
      isThrowing = false
      return running
    },
    output: () => output,
    kill: async () => {
      isThrowing = false
      const { kill } = await process
      kill()
      await ended
    },
  })
  return running
}

/** This machine's `$`. */
export const $ = shell(execute)
