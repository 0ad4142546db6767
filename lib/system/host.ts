/** The seam to the machine: files under a root, commands, facts, clock, random bytes, log. Passed, never patched. */
import { randomBytes } from 'node:crypto'
import { type Answer, ask, type CommandOptions, run, type Started, start } from './commands.ts'
import { type Facts, readFacts } from './facts.ts'
import { type Files, filesUnder } from './files.ts'
import { type HttpAnswer, type HttpRequest, http } from './http.ts'
import { type Log, openLog } from './log.ts'

export type Host = {
  env: Readonly<Record<string, string | undefined>>
  files: Files
  log: Log
  /** Nothing is written and nothing run: what would be is printed. */
  isDryRun: boolean
  /** A machine whose services can be asked and started; false under `--root`, where commands are listed. */
  isLive: boolean
  now(): Date
  random(bytes: number): Buffer
  facts(): Facts
  /** Runs a command that changes something. Throws when it fails. */
  run(command: string[], options?: CommandOptions): Promise<string>
  /** Runs a command that only looks, whatever its exit code. */
  ask(command: string[], options?: CommandOptions): Promise<Answer>
  start(command: string[], variables: Record<string, string>): Started
  http(request: HttpRequest): Promise<HttpAnswer>
}

export type HostOptions = {
  env: Host['env']
  /** A folder to write under in place of `/`; commands are then listed. */
  root?: string | undefined
  dryRun?: boolean | undefined
  /** Path of the log, under the root. */
  log?: string
}

/** This machine, or a folder that stands for one. */
export function openHost({ env, root, dryRun = false, log: logPath }: HostOptions): Host {
  const now = () => new Date()
  const files = filesUnder(root ?? '/')
  const log = openLog(now, dryRun || logPath === undefined ? undefined : files.at(logPath))
  const isLive = root === undefined && !dryRun
  const list = async (command: string[]) => {
    log.info(`would run: ${command.join(' ')}`)
    return ''
  }
  return {
    env,
    files,
    log,
    isDryRun: dryRun,
    isLive,
    now,
    random: randomBytes,
    facts: readFacts,
    ask,
    start,
    http,
    run: isLive ? run : list,
  }
}
