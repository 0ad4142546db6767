/** The interface to the machine: files, commands, facts, clock, random bytes, log. Always passed as a parameter. */
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

/** A live, rooted (`--root`) or read-only (`--dry-run`) machine; the comments say where they differ. */
export type Host = {
  env: Readonly<Record<string, string | undefined>>
  /** Files under the root; on a read-only host changes to them are skipped. */
  files: Files
  log: Log
  now(): Date
  random(bytes: number): Buffer
  facts(): Facts
  /** Runs a command that changes something. Only a live host runs it; the others log it and return empty output. */
  $: Shell
  /** Runs a command that only reads. On a rooted host, which has no services to query, it always fails. */
  query: Shell
  /**
   * Performs an action that depends on commands having really run: waiting for a service, sending it
   * requests, using files that a program wrote. Only a live host performs it; the others log "would" and
   * `what`.
   */
  perform<T>(what: string, action: () => Promise<T>): Promise<T | undefined>
  /**
   * Runs an action under an exclusive lock on a file. Only a live host, where others may be at work, takes
   * the lock.
   */
  withLock<T>(path: string, onWait: () => void, action: () => Promise<T>): Promise<T>
  http(request: HttpRequest): Promise<HttpAnswer>
}

export type HostOptions = {
  env: Host['env']
  /** A folder to write to instead of `/`; commands are then only logged. */
  root?: string | undefined
  dryRun?: boolean | undefined
  /** Path of the log, under the root. */
  log?: string
}

/** The absolute path of the folder given with `--root`. Throws if that is `/`, or no folder. */
function rootFolder(root: string): string {
  if (root.trim() === '') throw new Error('--root is empty; it takes a folder to write to.')
  const folder = resolve(root)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Error(`--root ${root}: the folder does not exist. Create it first.`)
  if (realpathSync(folder) === '/')
    throw new Error(`--root ${root} is this machine itself; to change it, omit --root.`)
  return folder
}

/** A host that runs no command: it logs them instead. */
const listingOnly = (host: Host): Host => ({
  ...host,
  $: shell(listing(host.log)),
  perform: async what => {
    host.log.info(`would ${what}`)
    return undefined
  },
  withLock: (_path, _onWait, action) => action(),
})

/** A host whose files belong to another machine, and whose services do not run here. */
export const rooted = (host: Host): Host => ({ ...listingOnly(host), query: shell(unknown) })

/** A host that changes nothing: file changes are skipped, and commands logged. */
export const readOnly = (host: Host): Host => ({ ...listingOnly(host), files: readOnlyFiles(host.files) })

/** Opens this machine, or a root folder in its place, optionally read-only. */
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
