/** The release: the installed llama.cpp and model, and the models that may be downloaded, with digests. */
import * as z from 'zod'
import { llamaCpp } from '../pins.ts'
import { isPublicKey } from '../upgrade/public-key.ts'
import { catalogue, type Model, modelSchema } from './catalogue.ts'
import {
  type CompanionModel,
  companionCatalogue,
  companionModelSchema,
  companionNames,
} from './companions.ts'

const artefact = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  /** Bytes. */
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export const releaseSchema = z.strictObject({
  llamaCpp: z.strictObject({
    tag: z.string().regex(/^[\w.-]+$/),
    /** The build for x86-64. */
    archive: artefact,
  }),
  /** The baked-in model. */
  model: modelSchema,
  /** Models that are downloaded if the context requests one. */
  further: z.array(modelSchema).default([]),
  /** The models of the services beside chat, in the image or to be downloaded. */
  companions: z.array(companionModelSchema).default([]),
  /** The minisign public key that releases for an upgrade must be signed with. */
  signedBy: z.string().regex(isPublicKey).optional(),
})

export type Release = z.infer<typeof releaseSchema>

/** What to download, from a mirror if there is one: it has the file under the name in the publisher's URL. */
export const mirrored = <T extends { url: string }>(mirror: string | undefined, file: T): T =>
  mirror === undefined
    ? file
    : { ...file, url: `${mirror.replace(/\/+$/, '')}/${file.url.split('/').at(-1)}` }

export const catalogueNames = Object.keys(catalogue) as (keyof typeof catalogue)[]

/** The release of an image with these models baked in: one for chat, and any for the services beside it. */
export const releaseWith = (
  baked: keyof typeof catalogue,
  companions: (keyof typeof companionCatalogue)[] = [],
): Release => ({
  llamaCpp,
  model: catalogue[baked],
  further: catalogueNames.filter(name => name !== baked).map(name => catalogue[name]),
  companions: companionNames.map(name => ({
    ...companionCatalogue[name],
    ...(companions.includes(name) && { isBaked: true as const }),
  })),
})

/** The published image's release. */
export const productionRelease: Release = releaseWith('devstral-small-2')

/** Path → the file's state when its SHA-256 was computed. If that has changed, it is computed again. */
export const fileProofsSchema = z.record(
  z.string(),
  z.strictObject({ sha256: z.string(), size: z.int(), inode: z.int(), modified: z.number() }),
)

/** The models that belong in the image. */
export const bakedModels = ({ model, companions }: Release): (Model | CompanionModel)[] => [
  model,
  ...companions.filter(({ isBaked }) => isBaked),
]

/** The models that the context may request. */
export const modelsOf = ({ model, further }: Release): Model[] => [model, ...further]

/** The names that requests may use for the served model: clients may still have the previous model's. */
export const requestNames = ({ name }: Model, release: Release): string[] => [
  ...new Set([name, 'default', ...modelsOf(release).map(model => model.name)]),
]
