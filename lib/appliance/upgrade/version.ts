/** Versions of the appliance: which of two is newer (semver.org, 11), and whether one may replace another. */
import * as z from 'zod'

type Identifier = number | string

const identifiers = (text: string): Identifier[] =>
  text.split('.').map(part => (/^\d+$/.test(part) ? Number(part) : part))

/** `1.2.3-rc.1` in its parts. */
function partsOf(version: string): { release: Identifier[]; pre: Identifier[] | undefined } {
  const [core = '', pre] = version.replace(/\+.*/, '').split(/-(.*)/s)
  return { release: identifiers(core), pre: pre === undefined ? undefined : identifiers(pre) }
}

/** Numbers are lower than words. */
function compared(a: Identifier | undefined, b: Identifier | undefined): number {
  if (a === b) return 0
  if (a === undefined) return -1
  if (b === undefined) return 1
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : 1
}

function comparedLists(a: Identifier[], b: Identifier[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const result = compared(a[index], b[index])
    if (result !== 0) return result
  }
  return 0
}

/** Below 0 if `a` is older than `b`. A pre-release is older than its release. */
export function compareVersions(a: string, b: string): number {
  const [first, second] = [partsOf(a), partsOf(b)]
  const result = comparedLists(first.release, second.release)
  if (result !== 0) return result
  if (first.pre === undefined || second.pre === undefined)
    return Number(first.pre === undefined) - Number(second.pre === undefined)
  return comparedLists(first.pre, second.pre)
}

/** Why `offered` may not replace `installed`; undefined if it may. */
export function downgradeProblem(installed: string, offered: string): string | undefined {
  if (compareVersions(offered, installed) >= 0) return undefined
  return (
    `Version ${offered} is older than the installed ${installed}. A downgrade is not possible: an older version ` +
    'may not understand what a newer one has written. To return to the version before the last upgrade: ' +
    '`slm-copilot upgrade --rollback`.'
  )
}

/** A version with its files. `id`: the name of its folder, unique to what is in it. */
export type Version = { id: string; version: string }

/** `sha256`: of its executable. */
export const versionOf = (version: string, sha256: string): Version => ({
  id: `${version}-${sha256.slice(0, 8)}`,
  version,
})

/** The version that a folder's name stands for. */
export const versionNamed = (id: string): Version => ({ id, version: id.replace(/-[0-9a-f]{8}$/, '') })

/** An upgrade at work: if it is found after a reboot, or by the next upgrade, `from` is to serve again. */
export const journalSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  startedAt: z.iso.datetime(),
})
