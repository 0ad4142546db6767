/** Running programs: a clean environment, no secrets in arguments, the end of their output when they fail. */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'

export type Answer = { code: number; stdout: string; stderr: string }
export type CommandOptions = { input?: string; onLine?: (line: string) => void }

/** A child inherits no variable of ours: the context, which holds secrets, is among them. */
export const childEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
}

export class CommandError extends Error {
  readonly answer: Answer

  constructor(command: string[], answer: Answer) {
    const said = `${answer.stdout}\n${answer.stderr}`.trim().split('\n').slice(-12).join('\n')
    super(`\`${command.join(' ')}\` failed with exit code ${answer.code}:\n${said}`)
    this.answer = answer
  }
}

/** Runs a command to its end and returns what it said, whatever its exit code. */
export async function ask(command: string[], options: CommandOptions = {}): Promise<Answer> {
  const { $ } = await import('zx/core')
  const running = $({
    env: childEnvironment,
    input: options.input ?? '',
    quiet: true,
    nothrow: true,
  })`${command}`
  if (options.onLine !== undefined) for await (const line of running) options.onLine(line)
  const { exitCode, signal, stdout, stderr } = await running
  // As a shell tells of a program that a signal ended.
  const code = exitCode ?? (signal === null ? 1 : 128 + constants.signals[signal])
  return { code, stdout, stderr }
}

/** Runs a command and returns its standard output. Throws a CommandError when it fails. */
export async function run(command: string[], options: CommandOptions = {}): Promise<string> {
  const answer = await ask(command, options)
  if (answer.code !== 0) throw new CommandError(command, answer)
  return answer.stdout
}

export type Started = {
  hasExited(): boolean
  /** The last lines that it printed. */
  output(): string
  stop(): Promise<void>
}

/** Starts a program that goes on, with these variables besides the common ones. */
export function start(command: string[], variables: Record<string, string>): Started {
  const [program = '', ...args] = command
  const child: ChildProcess = spawn(program, args, {
    env: { ...childEnvironment, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let exited = false
  const ended = new Promise<void>(resolve => {
    child.on('close', () => {
      exited = true
      resolve()
    })
    child.on('error', error => {
      output += String(error)
      exited = true
      resolve()
    })
  })
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4000)
    })
  return {
    hasExited: () => exited,
    output: () => output.trim(),
    stop: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}
