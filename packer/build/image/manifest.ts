/** What an exported image is: manifest.json, and the same as one-apps' packer/manifest.sh writes it. */
import { existsSync, readFileSync } from 'node:fs'
import * as z from 'zod'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
/** The commit that a checkout is at, with `-dirty` if files of it have been changed since. */
const commit = z.string().regex(/^[0-9a-f]{40,64}(-dirty)?$/)

/** zlib: every QEMU reads it. zstd: QEMU 5.1 and later, if built with it; a quarter of the CPU time, the same size. */
export const compressions = ['zlib', 'zstd'] as const
export type Compression = (typeof compressions)[number]

export const manifestSchema = z.strictObject({
  name: z.literal('SLM-Copilot'),
  version: z.string(),
  /** The image's file, beside the manifest. */
  image: z.string(),
  format: z.literal('qcow2'),
  compression: z.enum(compressions),
  /** Bytes of the virtual disk: the marketplace's `size`. */
  size: z.int().positive(),
  /** Bytes of the file. */
  fileSize: z.int().positive(),
  sha256,
  md5: z.string().regex(/^[0-9a-f]{32}$/),
  /** The file's modification time, in seconds since 1970. */
  creationTime: z.int().positive(),
  os: z.strictObject({ id: z.string(), release: z.string(), arch: z.literal('x86_64') }),
  /** Null if the sources or the framework are not a Git checkout of their own. */
  commits: z.strictObject({ slmCopilot: commit.nullable(), oneApps: commit.nullable() }),
  llamaCpp: z.strictObject({ tag: z.string(), sha256 }),
  model: z.strictObject({ name: z.string(), size: z.int(), sha256, licence: z.string().optional() }),
  /** The software bill of materials beside the image. */
  sbom: z.strictObject({ file: z.string(), sha256 }).optional(),
  /** A digest of everything that the image is baked from. */
  inputs: z.string(),
})

export type Manifest = z.infer<typeof manifestSchema>

/** The manifest in a file; undefined if there is no such file. Throws, with what is wrong, if it is not a manifest. */
export function readManifest(path: string): Manifest | undefined {
  if (!existsSync(path)) return undefined
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const problem = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new Error(`${path} is not a manifest of this version. Fix: make image, or remove it.\n${problem}`)
  }
}

export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

/** `20261126`, in UTC. */
const dateOf = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10).replaceAll('-', '')

/** The version that the marketplace shows, with the day: clients fetch an appliance again if it has changed. */
export const imageVersion = ({ version, creationTime }: Pick<Manifest, 'version' | 'creationTime'>): string =>
  `${version}-0-${dateOf(creationTime)}`

/** A YAML scalar in single quotes where a plain one would be read as something else. */
const scalar = (text: string) =>
  /^[\w./ -]*[a-z][\w./ -]*$/i.test(text) ? text : `'${text.replaceAll("'", "''")}'`

/** The fields, order and quotes of OpenNebula/one-apps' packer/manifest.sh, for its tools (`app2 release`). */
export const oneAppsManifest = (manifest: Manifest): string => `name: ${scalar(manifest.name)}
version: ${imageVersion(manifest)}
image: ${manifest.image}
format: ${manifest.format}
size: ${manifest.size}
file_size: ${manifest.fileSize}
sha256: ${manifest.sha256}
md5: ${manifest.md5}
creation_time: ${manifest.creationTime}
os-id: ${scalar(manifest.os.id)}
os-release: '${manifest.os.release}'
os-arch: ${manifest.os.arch}
`
