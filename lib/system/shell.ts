/** Running programs by zx: a clean environment, no secret in an argument, the end of their output where they fail. */
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import type { Log } from './log.ts'

/** What a program came back with. `exitCode`: 128 + N where signal N ended it, as a shell reports that. */
export type Output = { exitCode: number; stdout: string; stderr: string }

export type CommandOptions = {
  /** What the program reads from its standard input; nothing where this is absent. */
  input?: string | Readable
  /** Variables beside the common ones. Secrets are not among them. */
  env?: Record<string, string>
  /** Hears each line of standard output as it comes. */
  onLine?: (line: string) => void
}

/** Put into a command each is one word, quoted by zx; of an array each element is. */
type Argument = string | number | readonly string[]

/** A program at work. Awaited it gives its output, and throws a CommandError where that failed. */
export type Running = Promise<Output> & {
  /** Gives the output whatever the exit code. */
  nothrow(): Running
  /** The output of a program that has ended. */
  output(): Output | undefined
  /** Ends the program at once, not the children that it may have, and waits until its output is closed. */
  kill(): Promise<void>
}

/** zx's `$`: `` $`systemctl reload ${unit}` ``, or with options `` $({ input })`diff ${path} -` ``. */
export type Shell = {
  (pieces: TemplateStringsArray, ...args: Argument[]): Running
  (options: CommandOptions): Shell
}

/** A command as it was written, not yet quoted. */
export type Command = { pieces: TemplateStringsArray; args: Argument[]; options: CommandOptions }

type Process = { commandLine: string; ended: Promise<Output>; kill(): void }

/** How a host runs commands: really, or by listing them. */
export type Execute = (command: Command) => Promise<Process>

/** A child inherits no variable of ours: the context, which holds secrets, is among them. */
export const childEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
}

/** Lines of a program's output that an error quotes. */
const quotedLines = 12

/** The last lines that a program printed. */
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

/** Every one of zx's settings that it would else take from variables `ZX_*` of our environment. */
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

/** Loaded at the first command: most of the time that it takes is wasted on commands that run none. */
const loadZx = () => import('zx/core')

/** Runs a command on this machine. */
export const execute: Execute = async ({ pieces, args, options: { input, env, onLine } }) => {
  const { $, quote } = await loadZx()
  const running = $({
    ...settings,
    quote,
    env: { ...childEnvironment, ...env },
    // zx leaves standard input open where it has nothing to send.
    ...(input ? { input } : { stdio: ['ignore', 'pipe', 'pipe'] }),
  })(pieces, ...args)
  // A program that ends before it has read everything.
  running.child?.stdin?.on('error', () => {})
  const ended = async (): Promise<Output> => {
    if (onLine !== undefined) for await (const line of running) onLine(line)
    const { exitCode, signal, stdout, stderr, cause } = await running
    const code = exitCode ?? (signal === null ? 1 : 128 + constants.signals[signal])
    return { exitCode: code, stdout, stderr: stderr || (cause?.message ?? '') }
  }
  // Not zx's own kill, which looks for children by ps(1): bash has become the program by exec.
  return { commandLine: running.cmd, ended: ended(), kill: () => void running.child?.kill('SIGKILL') }
}

/** The command as a shell takes it, all that was put in quoted. */
export async function commandLineOf({ pieces, args }: Command): Promise<string> {
  const { $, quote } = await loadZx()
  return $({ ...settings, quote, halt: true })(pieces, ...args).cmd
}

/** Answers a command without running it. */
export const answering =
  (answer: (commandLine: string) => Output): Execute =>
  async command => {
    const commandLine = await commandLineOf(command)
    return { commandLine, ended: Promise.resolve(answer(commandLine)), kill: () => {} }
  }

/** Lists commands instead of running them. */
export const listing = (log: Log): Execute =>
  answering(commandLine => {
    log.info(`would run: ${commandLine}`)
    return { exitCode: 0, stdout: '', stderr: '' }
  })

/** Answers nothing: whom a command would ask is not on this machine. */
export const unknown: Execute = answering(() => ({ exitCode: 1, stdout: '', stderr: 'unknown' }))

/** The `$` of a host that runs commands so. */
export function shell(by: Execute, options: CommandOptions = {}): Shell {
  function $(pieces: TemplateStringsArray, ...args: Argument[]): Running
  function $(more: CommandOptions): Shell
  function $(first: TemplateStringsArray | CommandOptions, ...args: Argument[]): Running | Shell {
    return 'raw' in first ? run(by({ pieces: first, args, options })) : shell(by, { ...options, ...first })
  }
  return $
}

function run(process: Promise<Process>): Running {
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
