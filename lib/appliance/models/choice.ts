/** The choice of a model: the requested one serves, another one serves in its place, or none does. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from './catalogue.ts'
import { type OwnModelOutcome, withOwnModels } from './own-model.ts'
import { mirrored, modelsOf, type Release } from './release.ts'
import { type ModelState, transition } from './verification.ts'

export const downloadSchema = z.strictObject({
  /** Where to download it from. */
  url: z.string(),
  /** The circumstances in which a failure would stand, as text: in others the model is tried again. */
  circumstances: z.string(),
})

export const pendingModelSchema = downloadSchema.extend({ model: modelSchema })

/** A model to be downloaded or verified. */
export type PendingModel = z.infer<typeof pendingModelSchema>

/** `model`: the one to plan the capacity for. */
export type ModelChoice =
  | {
      state: 'serving'
      model: Model
      pending?: PendingModel
      /** Why it is not the requested one, for report, banner and log. */
      note?: string
    }
  | { state: 'waiting'; model: Model; pending: PendingModel; reason: string }
  | { state: 'unavailable'; model: Model; reason: string; fix: string }

/** The command that tries a failed model again. */
export const retryCommand = 'slm-copilot fetch-model --retry'
const retryHint = `To try again: ${retryCommand}`

/** The variables that the choice depends on. */
type ModelRequest = Pick<
  Context,
  'model' | 'modelUrl' | 'modelMirror' | 'contextSize' | 'parallel' | 'threads'
>

/** What is known of a model on this machine. */
export type Knowledge = {
  /** Bytes of RAM. */
  memory: number
  /** Whether it has been downloaded and verified. */
  stateOf(model: Model): ModelState
  /** Why it cannot be served here, a sentence; undefined if it can. */
  misfit(model: Model): string | undefined
  /** The name of the one that llama-server is configured for. */
  served?: string | undefined
}

/** The model that the context names, otherwise the one in the image. */
export const requestedModel = (release: Release, request: Pick<Context, 'model'>): Model =>
  modelsOf(release).find(({ name }) => name === request.model) ?? release.model

/** Chooses for what the context requests: a model by URL, if there is one (`own`), otherwise one by its name. */
export function chooseRequested(
  release: Release,
  own: OwnModelOutcome | undefined,
  request: ModelRequest,
  knowledge: Knowledge,
): ModelChoice {
  if (own === undefined) return chooseModel(release, request, knowledge)
  if ('problem' in own) return chooseWithout(own.problem, release, knowledge)
  const { model } = own
  return chooseModel(withOwnModels(release, [model]), { ...request, model: model.name }, knowledge)
}

/**
 * Chooses between the model that the context requests and one that can serve until that is downloaded and
 * verified. Throws if neither fits.
 */
export function chooseModel(release: Release, request: ModelRequest, knowledge: Knowledge): ModelChoice {
  const model = requestedModel(release, request)
  if (model.name === release.model.name) return { state: 'serving', model }
  const substitute = substituteFor(release, knowledge)
  const misfit = knowledge.misfit(model)
  if (misfit !== undefined) {
    if (substitute === undefined) throw new Error(misfit)
    return { state: 'serving', model: substitute, note: `${misfit} Serving ${substitute.name}.` }
  }
  const pending = pendingModel(model, release, request, knowledge.memory)
  const { circumstances } = pending
  const state = transition(knowledge.stateOf(model), { type: 'requested', circumstances })
  if (state.state === 'verified') return { state: 'serving', model }
  return state.state === 'failed'
    ? insteadOfFailed(model, state.reason, substitute)
    : untilVerified(pending, substitute)
}

/** The choice if the requested model cannot be planned, since its header could not be read. Throws if no other fits. */
function chooseWithout(problem: string, release: Release, knowledge: Knowledge): ModelChoice {
  const substitute = substituteFor(release, knowledge)
  if (substitute === undefined) throw new Error(`${problem} No installed model fits in its place.`)
  return { state: 'serving', model: substitute, note: `${problem} Serving ${substitute.name}.` }
}

function insteadOfFailed(model: Model, failure: string, substitute: Model | undefined): ModelChoice {
  const reason = `${model.name} is not served: ${failure}`
  return substitute === undefined
    ? { state: 'unavailable', model, reason: `${reason} No other installed model fits.`, fix: retryHint }
    : { state: 'serving', model: substitute, note: `${reason} Serving ${substitute.name}. ${retryHint}` }
}

function untilVerified(pending: PendingModel, substitute: Model | undefined): ModelChoice {
  const { model } = pending
  const reason = `${model.name} is not in the image`
  const end = 'until it is downloaded and answers.'
  if (substitute !== undefined) {
    const note = `${reason}: serving ${substitute.name} ${end}`
    return { state: 'serving', model: substitute, pending, note }
  }
  const nothing = `${reason}, and no installed model fits: nothing is served ${end}`
  return { state: 'waiting', model, pending, reason: nothing }
}

/**
 * What serves in place of a model: the one that does now, so that clients are not interrupted twice; otherwise the
 * baked one, otherwise one verified earlier. Undefined if none fits.
 */
function substituteFor(release: Release, { stateOf, misfit, served }: Knowledge): Model | undefined {
  const isReady = (other: Model) => other.name === release.model.name || stateOf(other).state === 'verified'
  const candidates = modelsOf(release).filter(other => isReady(other) && misfit(other) === undefined)
  return candidates.find(({ name }) => name === served) ?? candidates[0]
}

/** `memory`: bytes of RAM. */
function pendingModel(
  model: Model,
  { llamaCpp }: Release,
  request: ModelRequest,
  memory: number,
): PendingModel {
  const { contextSize, parallel, threads, modelMirror, modelUrl } = request
  const { url } = modelUrl === undefined ? mirrored(modelMirror, model) : model
  // Whole GiB: what the kernel keeps for itself varies between boots.
  const gibibytes = Math.round(memory / 2 ** 30)
  const { tag } = llamaCpp
  const circumstances = JSON.stringify({ tag, url, contextSize, parallel, threads, gibibytes })
  return { model, url, circumstances }
}
