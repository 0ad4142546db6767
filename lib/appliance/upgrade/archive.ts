/** A release archive, which `make release` writes and `slm-copilot upgrade` takes: its files, and their checks. */
import * as z from 'zod'

/** The files of an archive, in one folder. The signature is over the list of digests, which covers all others. */
export const archiveFiles = {
  executable: 'slm-copilot',
  shim: 'appliance.sh',
  /** llama.cpp, and the models that may be served. */
  release: 'release.json',
  llamaCpp: 'llama.cpp.tar.gz',
  manifest: 'manifest.json',
  sums: 'SHA256SUMS',
  signature: 'SHA256SUMS.minisig',
} as const

/** The format that this version reads and writes. */
export const archiveFormat = 1

/** Later formats may have more fields: what matters is that this version can tell. */
const anyManifestSchema = z.looseObject({
  name: z.literal('SLM-Copilot'),
  format: z.int().min(1),
  version: z.string(),
})

const manifestSchema = z.strictObject({
  ...anyManifestSchema.shape,
  /** The commit that it was built from. */
  commit: z.string(),
  /** The release of llama.cpp. */
  llamaCpp: z.string(),
})

export type ArchiveManifest = z.infer<typeof manifestSchema>

/** Parses an archive's manifest. Throws if a later version of the appliance is needed to read it. */
export function parseManifest(text: string): ArchiveManifest {
  const { format, version } = anyManifestSchema.parse(JSON.parse(text))
  if (format > archiveFormat)
    throw new Error(
      `Version ${version} has a format of releases that this version cannot read (${format}, this version reads ` +
        `${archiveFormat}). Fix: upgrade to a version in between first; its notes say to which.`,
    )
  return manifestSchema.parse(JSON.parse(text))
}

/** Name → SHA-256. Parses the output of sha256sum(1); throws at a line that is not of its form. */
export function parseSums(text: string): Map<string, string> {
  const sums = new Map<string, string>()
  for (const line of text.split('\n').filter(Boolean)) {
    const [, digest, name = ''] = /^([0-9a-f]{64}) [ *]([\w.-]+)$/.exec(line) ?? []
    if (digest === undefined || sums.has(name))
      throw new Error(`${archiveFiles.sums} has an unexpected line: ${line.slice(0, 100)}`)
    sums.set(name, digest)
  }
  return sums
}

/** What is wrong with an archive's files, if anything. `found`: name → SHA-256 of each, without list and signature. */
export function digestProblems(sums: Map<string, string>, found: Map<string, string>): string[] {
  const names = new Set([...sums.keys(), ...found.keys()])
  return [...names].sort().flatMap(name => {
    const [wanted, is] = [sums.get(name), found.get(name)]
    if (is === undefined) return [`${name} is missing`]
    if (wanted === undefined) return [`${name} is not in ${archiveFiles.sums}`]
    return wanted === is ? [] : [`${name} has SHA-256 ${is}, expected ${wanted}`]
  })
}

/** A member of a tar archive. `kind`: `-` for a file, `d` for a folder (tar(1), --list --verbose). */
export type Member = { kind: string; size: number; path: string }

/** Parses the output of `tar --list --verbose --numeric-owner`. */
export const parseMembers = (listing: string): Member[] =>
  listing
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [, kind = '?', size = '0', path = line] =
        /^(.)\S{9}\S* +\d+\/\d+ +(\d+) \S+ \S+ (.*)$/.exec(line) ?? []
      return { kind, size: Number(size), path }
    })

const known: string[] = Object.values(archiveFiles)

/** Members that no release has: anything but its files in one folder. To be checked before unpacking. */
export const strangeMembers = (members: Member[]): string[] =>
  members
    .filter(({ kind, path }) => {
      const [folder = '', name, ...more] = path.replace(/\/$/, '').split('/')
      if (!/^\w[\w.-]*$/.test(folder) || more.length > 0) return true
      return name === undefined ? kind !== 'd' : kind !== '-' || !known.includes(name)
    })
    .map(({ path }) => path)
