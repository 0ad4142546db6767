/** The seam to the machine: files under a root, commands, facts, clock, random bytes, log. Passed, never patched. */
import { randomBytes } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Answer, ask, type CommandOptions, run, type Started, start } from './commands.ts'
import { type Facts, readFacts } from './facts.ts'
import { type Files, filesUnder } from './files.ts'
import { type HttpAnswer, type HttpRequest, http } from './http.ts'
import { type Log, openLog } from './log.ts'
import { readOnlyFiles } from './read-only-files.ts'

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

/** The folder that `--root` names, absolute. Throws where that is this machine itself, or no folder. */
function rootFolder(root: string): string {
  if (root.trim() === '') throw new Error('--root is empty: it takes a folder to write under.')
  const folder = resolve(root)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`--root ${root}: there is no such folder. Make it first.`)
  if (realpathSync(folder) === '/')
    throw new Error(`--root ${root} is this machine itself: to change it, leave --root out.`)
  return folder
}

/** A host that can look and changes nothing: files stay as they are, and commands are listed. */
export const readOnly = (host: Host): Host => ({
  ...host,
  files: readOnlyFiles(host.files),
  isDryRun: true,
  isLive: false,
  run: listed(host.log),
})

const listed = (log: Log) => async (command: string[]) => {
  log.info(`would run: ${command.join(' ')}`)
  return ''
}

/** This machine, a folder that stands for one, or either read-only. */
export function openHost({ env, root, dryRun = false, log: logPath }: HostOptions): Host {
  const now = () => new Date()
  const files = filesUnder(root === undefined ? '/' : rootFolder(root))
  const log = openLog(now, dryRun || logPath === undefined ? undefined : files.at(logPath))
  const isLive = root === undefined
  const host: Host = {
    env,
    files,
    log,
    isDryRun: false,
    isLive,
    now,
    random: randomBytes,
    facts: readFacts,
    ask,
    start,
    http,
    run: isLive ? run : listed(log),
  }
  return dryRun ? readOnly(host) : host
}
