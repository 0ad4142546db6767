/** The seam to the machine: files under a root, commands, facts, clock, random bytes, log. Passed, never patched. */
import { randomBytes } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Facts, readFacts } from './facts.ts'
import { type Files, filesUnder } from './files.ts'
import { type HttpAnswer, type HttpRequest, http } from './http.ts'
import { withLock } from './lock.ts'
import { type Log, openLog } from './log.ts'
import { readOnlyFiles } from './read-only-files.ts'
import { $, listing, type Shell, shell, unknown } from './shell.ts'

/** Live, rooted (`--root`) or read-only (`--dry-run`): they differ in what the marked members do. */
export type Host = {
  env: Readonly<Record<string, string | undefined>>
  /** Under the root; a read-only host's stay as they are. */
  files: Files
  log: Log
  now(): Date
  random(bytes: number): Buffer
  facts(): Facts
  /** Runs a command that changes something. Only a live host does; the others list it, and it comes back with nothing. */
  $: Shell
  /** Runs a command that only reads. A rooted host, which has no services to ask, fails it. */
  query: Shell
  /**
   * Does what depends on a command that has really run: waits for a service, sends it requests, goes on with what a
   * program has written. Only a live host does; the others say that they would, to be read after "would".
   */
  perform<T>(what: string, action: () => Promise<T>): Promise<T | undefined>
  /** Runs an action while no other holds the lock at a path. Only a live host, where others are at work, takes the lock. */
  withLock<T>(path: string, onWait: () => void, action: () => Promise<T>): Promise<T>
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
  if (root.trim() === '') throw new Error('--root is empty; it takes a folder to write to.')
  const folder = resolve(root)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`--root ${root}: the folder does not exist. Create it first.`)
  if (realpathSync(folder) === '/')
    throw new Error(`--root ${root} is this machine itself; to change it, omit --root.`)
  return folder
}

/** A host that runs nothing: what it would run is listed. */
const listingOnly = (host: Host): Host => ({
  ...host,
  $: shell(listing(host.log)),
  perform: async what => {
    host.log.info(`would ${what}`)
    return undefined
  },
  withLock: (_path, _onWait, action) => action(),
})

/** A host whose files are another machine's: there is none of its services here. */
export const rooted = (host: Host): Host => ({ ...listingOnly(host), query: shell(unknown) })

/** A host that changes nothing: files stay as they are, and commands are listed. */
export const readOnly = (host: Host): Host => ({ ...listingOnly(host), files: readOnlyFiles(host.files) })

/** This machine, a folder that stands for one, or either read-only. */
export function openHost({ env, root, dryRun = false, log: logPath }: HostOptions): Host {
  const now = () => new Date()
  const files = filesUnder(root === undefined ? '/' : rootFolder(root))
  const live: Host = {
    env,
    files,
    log: openLog(now, dryRun || logPath === undefined ? undefined : files.at(logPath)),
    now,
    random: randomBytes,
    facts: readFacts,
    $,
    query: $,
    perform: (_what, action) => action(),
    withLock: (path, onWait, action) => withLock(files.at(path), onWait, action),
    http,
  }
  const host = root === undefined ? live : rooted(live)
  return dryRun ? readOnly(host) : host
}
