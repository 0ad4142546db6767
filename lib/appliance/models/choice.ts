/** What the plan makes of the model that the context requests: it serves, another one serves meanwhile, or none does. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from './catalogue.ts'
import { modelsOf, type Release } from './release.ts'
import { type ModelState, transition } from './verification.ts'

export const pendingModelSchema = z.strictObject({
  model: modelSchema,
  /** Where it comes from. */
  url: z.string(),
  /** What a failure would hold for, as text. */
  circumstances: z.string(),
})

/** A model that is to be downloaded, or verified. */
export type PendingModel = z.infer<typeof pendingModelSchema>

/** `model`: the one to plan the capacity for. */
export type ModelChoice =
  | {
      state: 'serving'
      model: Model
      pending?: PendingModel
      /** Why it is not the one requested, for report, banner and log. */
      note?: string
    }
  | { state: 'waiting'; model: Model; pending: PendingModel; reason: string }
  | { state: 'unavailable'; model: Model; reason: string; fix: string }

/** The command that has a model tried again that failed. */
export const retryCommand = 'slm-copilot fetch-model --retry'
const retryHint = `To try again: ${retryCommand}`

/** The variables that decide it. */
type ModelRequest = Pick<Context, 'model' | 'modelMirror' | 'contextSize' | 'parallel' | 'threads'>

/** What is known of a model on this machine. */
export type Knowledge = {
  /** Bytes of RAM. */
  memory: number
  /** How far it is here. */
  stateOf(model: Model): ModelState
  /** Why it cannot be served here, a sentence, if it cannot. */
  misfit(model: Model): string | undefined
}

/**
 * The choice between the model that the context requests and what can serve until that has been downloaded and verified.
 * Throws where neither fits.
 */
export function chooseModel(release: Release, request: ModelRequest, knowledge: Knowledge): ModelChoice {
  const model = modelsOf(release).find(({ name }) => name === request.model) ?? release.model
  if (model.name === release.model.name) return { state: 'serving', model }
  const substitute = substituteFor(model, release, knowledge)
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

/** What serves in place of a model: the baked one, else one that was downloaded and verified before; if any fits. */
function substituteFor(model: Model, release: Release, { stateOf, misfit }: Knowledge): Model | undefined {
  const isReady = (other: Model) => other.name === release.model.name || stateOf(other).state === 'verified'
  return modelsOf(release).find(
    other => other.name !== model.name && isReady(other) && misfit(other) === undefined,
  )
}

/** Where a model comes from: a mirror has it under the file name of its maker's address. */
export const modelUrl = ({ url }: Model, mirror: string | undefined): string =>
  mirror === undefined ? url : `${mirror.replace(/\/+$/, '')}/${url.split('/').at(-1)}`

/** `memory`: bytes of RAM. */
function pendingModel(
  model: Model,
  { llamaCpp }: Release,
  request: ModelRequest,
  memory: number,
): PendingModel {
  const { contextSize, parallel, threads, modelMirror } = request
  const url = modelUrl(model, modelMirror)
  // Whole GiB: what the kernel keeps of them differs from boot to boot.
  const gibibytes = Math.round(memory / 2 ** 30)
  const { tag } = llamaCpp
  const circumstances = JSON.stringify({ tag, url, contextSize, parallel, threads, gibibytes })
  return { model, url, circumstances }
}
