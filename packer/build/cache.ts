/** A cache outside the checkout for whatever is slow to build, under names derived from the inputs. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, extname, join } from 'node:path'
import { withLock } from '../../lib/system/lock.ts'

/** The cache folder: SLM_COPILOT_CACHE, or `~/.cache/slm-copilot`. */
export const cacheFolder = process.env.SLM_COPILOT_CACHE ?? join(homedir(), '.cache', 'slm-copilot')

/** The first 12 hexadecimal digits of the SHA-256 of all inputs, each prefixed with its length. */
export const keyOf = (inputs: (string | Buffer)[]): string => {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(`${input.length}:`).update(input)
  return hash.digest('hex').slice(0, 12)
}

/** Runs a function under the cache's lock of this name: in one process at a time. */
export function withCacheLock<T>(name: string, act: () => Promise<T>): Promise<T> {
  mkdirSync(cacheFolder, { recursive: true })
  return withLock(
    join(cacheFolder, 'locks', name),
    () => console.log(`==> Waiting for another process that is building ${name}`),
    act,
  )
}

/**
 * The cached file or folder `name` for these inputs, created if missing: `base.qcow2` becomes `base-<key>.qcow2`.
 * `make` writes to the path that it is given, which gets its final name only on success. Versions from other inputs
 * are removed: afterwards, or beforehand if the disk may be too small for both (`isLarge`). A concurrent caller
 * waits, and then finds the result.
 */
export async function cached(
  name: string,
  inputs: (string | Buffer)[],
  make: (path: string) => Promise<void>,
  { isLarge = false } = {},
): Promise<string> {
  const extension = extname(name)
  const stem = basename(name, extension)
  const path = join(cacheFolder, `${stem}-${keyOf(inputs)}${extension}`)
  if (existsSync(path)) return path
  await withCacheLock(basename(path), async () => {
    if (existsSync(path)) return
    removeInterrupted()
    if (isLarge) removeOthers(path, stem, extension)
    await makeWhole(path, stem, extension, make)
    removeOthers(path, stem, extension)
  })
  return path
}

async function makeWhole(
  path: string,
  stem: string,
  extension: string,
  make: (path: string) => Promise<void>,
): Promise<void> {
  const partial = temporaryPath(`${stem}${extension}`)
  try {
    await make(partial)
    renameSync(partial, path)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

const temporaryPath = (name: string): string =>
  join(cacheFolder, `.${process.pid}-${randomBytes(4).toString('hex')}-${name}`)

/** A new folder for large temporary files. The caller removes it; if this process is killed, the next one does. */
export function makeTemporaryFolder(name: string): string {
  mkdirSync(cacheFolder, { recursive: true })
  removeInterrupted()
  const folder = temporaryPath(name)
  mkdirSync(folder)
  return folder
}

/** Runs a function with a folder for large temporary files, and removes it. */
export async function withTemporaryFolder<T>(name: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = makeTemporaryFolder(name)
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Removes what killed processes left unfinished: it is named after them. */
function removeInterrupted(): void {
  for (const entry of readdirSync(cacheFolder)) {
    const pid = /^\.(\d+)-/.exec(entry)?.[1]
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(join(cacheFolder, entry), { recursive: true, force: true })
  }
}

/** What is cached under this name, whatever it was made from. */
export const versionsOf = (name: string): string[] => {
  const [extension, stem] = [extname(name), basename(name, extname(name))]
  if (!existsSync(cacheFolder)) return []
  const isVersion = (entry: string) =>
    entry.startsWith(`${stem}-`) && entry.length === name.length + 13 && entry.endsWith(extension)
  return readdirSync(cacheFolder)
    .filter(isVersion)
    .map(entry => join(cacheFolder, entry))
}

/** Removes the versions of this name that were made from other inputs. */
function removeOthers(path: string, stem: string, extension: string): void {
  for (const version of versionsOf(`${stem}${extension}`))
    if (version !== path) rmSync(version, { recursive: true, force: true })
}
