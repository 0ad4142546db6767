/** A model of the administrator's own, by URL and digest: its name, and what is known of it from its header. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { variables } from '../context/variables.ts'
import type { CacheSharing } from '../nginx/cache-sharing.ts'
import { type Model, modelSchema } from './catalogue.ts'
import type { Description } from './description.ts'
import { modelsOf, type Release } from './release.ts'

/** What the context requests. */
export type OwnModel = { url: string; sha256: string }

export const ownModelIn = ({
  modelUrl: url,
  modelSha256: sha256,
}: Pick<Context, 'modelUrl' | 'modelSha256'>): OwnModel | undefined =>
  url === undefined || sha256 === undefined ? undefined : { url, sha256 }

/** Why the header of the requested model could not be used, a sentence. */
const unreadSchema = z.strictObject({
  url: z.string(),
  sha256: z.string(),
  problem: z.string(),
  /** Whether it could not be reached, so that it is tried again. */
  isRetried: z.boolean(),
})

export type Unread = z.infer<typeof unreadSchema>

export const ownModelsSchema = z.strictObject({
  /** The models whose headers have been read; `isProven`: in the file whose digest was verified, not at the URL. */
  models: z.array(z.strictObject({ model: modelSchema, isProven: z.boolean() })),
  /** The requested one, if it is not among them. */
  unread: unreadSchema.optional(),
})

export type OwnModels = z.infer<typeof ownModelsSchema>

export const noOwnModels: OwnModels = { models: [] }

/** The requested model, or why it cannot be planned. */
export type OwnModelOutcome = { model: Model } | Unread

/**
 * A name from the last part of the URL, in lower case: it becomes the file's name here, and the model's for
 * clients.
 */
export const nameFromUrl = (url: string): string =>
  (url.split('/').at(-1) ?? '')
    .toLowerCase()
    .replace(/\.gguf$/, '')
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 80) || 'model'

/**
 * A name that is free: another model keeps its own; so does one of a service beside chat, even if it is the same file,
 * since each file is downloaded and removed on its own, and clients name the service by its model.
 */
export function nameFor({ url, sha256 }: OwnModel, others: Model[], companions: string[]): string {
  const name = nameFromUrl(url)
  const isTaken =
    companions.includes(name) || others.some(other => other.name === name && other.sha256 !== sha256)
  return isTaken ? `${name}-${sha256.slice(0, 8)}` : name
}

/** The model as its header describes it. */
export function describedModel(name: string, wanted: OwnModel, description: Description): Model {
  const { size, contextLimit, geometry, template, thinking, licence, hasTemplate } = description
  return {
    name,
    ...wanted,
    size,
    contextLimit,
    geometry,
    ...(template !== undefined && { template }),
    ...(thinking !== undefined && { thinking }),
    own: { hasTemplate, ...(licence !== undefined && { licence }) },
  }
}

/** The release with these models besides its own. If it has one already, by its digest, the new URL counts. */
export function withOwnModels(release: Release, own: Model[]): Release {
  const others = own.filter(({ sha256 }) => sha256 !== release.model.sha256)
  const digests = others.map(({ sha256 }) => sha256)
  return {
    ...release,
    further: [...release.further.filter(model => !digests.includes(model.sha256)), ...others],
  }
}

/** The model of the release with this digest, at the requested URL. */
export function knownByDigest(release: Release, { url, sha256 }: OwnModel): Model | undefined {
  const known = modelsOf(release).find(model => model.sha256 === sha256)
  return known === undefined ? undefined : { ...known, url }
}

/** A note if the context names a model besides the URL. Not for the one in the image, which the wizard always names. */
export const ignoredModelNotes = (
  { model, modelUrl }: Pick<Context, 'model' | 'modelUrl'>,
  release: Release,
): string[] =>
  modelUrl === undefined || model === undefined || model === release.model.name
    ? []
    : [`${variables.model.name}=${model} is ignored, since ${variables.modelUrl.name} is set.`]

/**
 * Whether parts of earlier prompts are reused. Separate caches rely on each prompt beginning with its tenant's tag,
 * which is tested for the catalogue's models and the appliance's templates, but cannot be for whatever template a
 * file has.
 */
export const reusesPrompts = ({ own, template }: Model, sharing: CacheSharing): boolean =>
  sharing !== 'separate' || own === undefined || template !== undefined

/** Notes on a model whose format is not known. */
export const templateNotes = (model: Model, sharing: CacheSharing): string[] => [
  ...(model.own === undefined || model.own.hasTemplate || model.template !== undefined
    ? []
    : [
        `The file of ${model.name} has no chat template: llama-server uses a common one (ChatML), which the model may not have been trained with. Agents need a model with a template that has tools.`,
      ]),
  ...(reusesPrompts(model, sharing)
    ? []
    : [
        `${model.name} processes every prompt from its start: with its chat template, the prompts of different keys may begin alike. To reuse what was processed before: only one key, or ${variables.sharedCache.name}=YES if their holders trust each other.`,
      ]),
]
