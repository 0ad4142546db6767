/** The variables of `make image`, checked together. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as z from 'zod'
import { masked } from '../../../lib/appliance/context/masking.ts'
import { modelFileUrl } from '../../../lib/appliance/context/values.ts'
import { companionNames } from '../../../lib/appliance/models/companions.ts'
import { type OwnModel, ownModelIn } from '../../../lib/appliance/models/own-model.ts'
import {
  catalogueNames,
  productionRelease,
  type Release,
  releaseWith,
} from '../../../lib/appliance/models/release.ts'
import { oneApps } from '../../../lib/appliance/pins.ts'
import type { MachineSize } from '../bake.ts'
import type { Bundle } from '../bundle/contents.ts'
import type { GitSource } from '../one-apps.ts'
import { type Compression, compressions } from './manifest.ts'
import { bundle, disk, file, publicKey, releaseFile, secretKey, size } from './values.ts'

export type Settings = {
  release: Release
  /** A model to bake in, in place of the release's: by URL and digest. */
  ownModel?: OwnModel | undefined
  /** Of the VM that the image is baked in. The disk becomes the image's. */
  size: Required<MachineSize>
  /** As Packer takes it, such as `30m`. */
  sshTimeout: string
  /** A disk to start from; by default packer/base-image.sh makes one. */
  baseImage?: string | undefined
  /** A checkout of OpenNebula/one-apps; by default `oneApps` is cloned. */
  oneAppsDir?: string | undefined
  oneApps: GitSource
  compression: Compression
  /** The folder for image, manifest and checksums. */
  output: string
  /** A minisign secret key, which signs checksums and manifest. */
  signKey?: string | undefined
  /** A verified bundle, in place of the internet. */
  bundle?: Bundle | undefined
}

/** The chat model, and any models for the services beside chat. */
const models = z
  .string()
  .transform(text => text.split(/[\s,]+/).filter(Boolean))
  .pipe(
    z.tuple(
      [z.enum(catalogueNames, `takes one of: ${catalogueNames.join(', ')}`)],
      z.enum(companionNames, `takes after the chat model any of: ${companionNames.join(', ')}`),
    ),
  )
  .transform(([chat, ...beside]) => releaseWith(chat, beside))

const variables = z.object({
  BUNDLE: bundle.optional(),
  MODEL: models.optional(),
  MODEL_URL: modelFileUrl
    .refine(url => !url.startsWith('file:'), 'takes an http or https URL, which the VM of the bake downloads')
    .optional(),
  MODEL_SHA256: z
    .string()
    .toLowerCase()
    .regex(/^[0-9a-f]{64}$/, 'takes the 64 hexadecimal digits of the SHA-256 of the file at MODEL_URL')
    .optional(),
  RELEASE: releaseFile.optional(),
  BASE_IMAGE: disk.optional(),
  ONE_APPS_DIR: file
    .refine(path => existsSync(`${path}/appliances/service.sh`), 'not a checkout of OpenNebula/one-apps')
    .optional(),
  ONE_APPS_URL: z.string().default(oneApps.repository),
  ONE_APPS_COMMIT: z
    .string()
    .regex(/^[0-9a-f]{40}$/, 'takes a whole commit ID')
    .default(oneApps.commit),
  COMPRESSION: z.enum(compressions, 'takes zlib or zstd').default('zlib'),
  OUTPUT: z.string().default(join(import.meta.dirname, '..', '..', '..', 'dist', 'image')),
  SIGN_KEY: secretKey.optional(),
  PUBLIC_KEY: publicKey.optional(),
  CPUS: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'takes a number of vCPUs')
    .transform(Number)
    .default(4),
  MEMORY: size.default(16 * 1024),
  DISK: size.default(50 * 1024),
  SSH_TIMEOUT: z
    .string()
    .regex(/^(?=.)(\d+h)?(\d+m)?(\d+s)?$/, 'takes a duration, such as 30m or 1h30m')
    .default('30m'),
})

type BuildVariables = Record<string, string | undefined>

/** Without the credentials or the query of a URL. */
const shown = (value: string) => (/:\/\/.*[@?#]/.test(value) ? masked(value, false) : value)

/** An empty variable counts as unset. */
function check<T extends z.ZodType>(schema: T, environment: BuildVariables) {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value))
  const { data, error } = schema.safeParse(given)
  const problems = (error?.issues ?? []).map(({ path: [name = ''], message }) => {
    return `${String(name)}=${shown(given[String(name)] ?? '')}: ${message}`
  })
  return { given, data, problems }
}

const wrong = (target: string, problems: string[]) =>
  new Error([`${target}: these variables are wrong`, ...problems].join('\n  '))

/** With the key that appliances expect releases to be signed with, if it is known. */
const withKey = (release: Release, key: string | undefined): Release => ({
  ...release,
  ...(key && { signedBy: key }),
})

/** Throws with all problems at once. */
export function parseSettings(environment: BuildVariables): Settings {
  const { given, data, problems } = check(variables, environment)
  if (given.MODEL && given.RELEASE)
    problems.push('MODEL and RELEASE: set one of them; a release names its model')
  if (Boolean(given.MODEL_URL) !== Boolean(given.MODEL_SHA256))
    problems.push('MODEL_URL and MODEL_SHA256: set both of them, or none')
  for (const name of ['MODEL', 'RELEASE'])
    if (given.MODEL_URL && given[name])
      problems.push(`MODEL_URL and ${name}: set one of them; each says which model is baked in`)
  for (const name of ['MODEL', 'MODEL_URL', 'RELEASE', 'BASE_IMAGE', 'ONE_APPS_URL', 'ONE_APPS_COMMIT'])
    if (given.BUNDLE && given[name])
      problems.push(`BUNDLE and ${name}: set one of them; a bundle has its own`)
  if (data === undefined || problems.length > 0) throw wrong('make image', problems)
  const release = data.BUNDLE?.release ?? data.RELEASE ?? data.MODEL ?? productionRelease
  return {
    release: withKey(release, data.PUBLIC_KEY),
    ownModel: ownModelIn({ modelUrl: data.MODEL_URL, modelSha256: data.MODEL_SHA256 }),
    size: { cpus: data.CPUS, memory: data.MEMORY, disk: `${data.DISK}M` },
    sshTimeout: data.SSH_TIMEOUT,
    baseImage: data.BASE_IMAGE,
    oneAppsDir: data.ONE_APPS_DIR,
    oneApps: data.BUNDLE?.oneApps ?? { url: data.ONE_APPS_URL, commit: data.ONE_APPS_COMMIT },
    compression: data.COMPRESSION,
    output: resolve(data.OUTPUT),
    signKey: data.SIGN_KEY,
    bundle: data.BUNDLE,
  }
}

/** What `make release` takes. `release`: what the archive for upgrades contains. `signKey`: as above. */
export type ReleaseSettings = Pick<Settings, 'release' | 'signKey'>

/** Throws with all problems at once. */
export function parseReleaseSettings(environment: BuildVariables): ReleaseSettings {
  const own = variables.pick({ RELEASE: true, SIGN_KEY: true, PUBLIC_KEY: true })
  const { data, problems } = check(own, environment)
  if (data === undefined) throw wrong('make release', problems)
  return { release: withKey(data.RELEASE ?? productionRelease, data.PUBLIC_KEY), signKey: data.SIGN_KEY }
}
