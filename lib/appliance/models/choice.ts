/** Which model is served, and which one is yet to be downloaded or verified. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from './catalogue.ts'
import { modelsOf, type Release } from './release.ts'

export const pendingModelSchema = z.strictObject({
  model: modelSchema,
  /** Where it comes from. */
  url: z.string(),
  /** What a verification's outcome holds for, as text: with other ones it is worth another. */
  circumstances: z.string(),
})

export type PendingModel = z.infer<typeof pendingModelSchema>

/** A fetched model from before its download until it has answered. */
export const trialSchema = z.strictObject({
  outcome: z.enum(['under way', 'failed']),
  circumstances: z.string(),
  /** Why it failed, a sentence. */
  why: z.string(),
})

/** Model's digest → its trial; none for a model that has answered. */
export const trialsSchema = z.record(z.string(), trialSchema)
export type Trials = z.infer<typeof trialsSchema>

/** What becomes of the model that the context asks for. `model`: the one to plan the capacity for. */
export type ModelChoice =
  | {
      state: 'serving'
      model: Model
      pending?: PendingModel
      /** Why it is not the one asked for, for report, banner and log. */
      note?: string
    }
  | { state: 'waiting'; model: Model; pending: PendingModel; reason: string }
  | { state: 'unavailable'; model: Model; reason: string; fix: string }

/** The command that has a model tried again that failed. */
export const retryCommand = 'slm-copilot fetch-model --retry'
const retryHint = `To try again: ${retryCommand}`

/** The variables that decide it. */
type ModelRequest = Pick<Context, 'model' | 'modelMirror' | 'contextSize' | 'parallel' | 'threads'>

/** Where a model comes from: a mirror has it under the file name of its maker's address. */
export const modelUrl = ({ url }: Model, mirror: string | undefined): string =>
  mirror === undefined ? url : `${mirror.replace(/\/+$/, '')}/${url.split('/').at(-1)}`

/** A model that is not baked in, as the context asks for it. `memory`: bytes of RAM. */
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

/** What is known of a model on this machine. */
export type Knowledge = {
  /** Bytes of RAM. */
  memory: number
  /** Its file stands, proven, at its name. */
  isThere(model: Model): boolean
  /** Why it cannot be served here, a sentence, if it cannot. */
  misfit(model: Model): string | undefined
}

/**
 * The choice between the model that the context asks for, which the release must have, and what can serve until that has
 * come and answered. One whose trial is not over is served by nobody but the trial itself. The choice fits, unless none does.
 */
export function chooseModel(
  release: Release,
  request: ModelRequest,
  knowledge: Knowledge,
  trials: Trials,
): ModelChoice {
  const baked = release.model
  const model = modelsOf(release).find(({ name }) => name === request.model) ?? baked
  if (model.name === baked.name) return { state: 'serving', model: baked }
  const { memory, isThere, misfit } = knowledge
  const meanwhile = standIn(release, model, knowledge, trials)
  const problem = misfit(model)
  if (problem !== undefined)
    return meanwhile
      ? { state: 'serving', model: meanwhile, note: `${problem} Serving ${meanwhile.name}.` }
      : { state: 'serving', model }
  const trial = trials[model.sha256]
  if (trial === undefined && isThere(model)) return { state: 'serving', model }

  const pending = pendingModel(model, release, request, memory)
  if (trial?.outcome === 'failed' && trial.circumstances === pending.circumstances) {
    const reason = `${model.name} is not served: ${trial.why}`
    return meanwhile
      ? { state: 'serving', model: meanwhile, note: `${reason} Serving ${meanwhile.name}. ${retryHint}` }
      : {
          state: 'unavailable',
          model,
          reason: `${reason} No other model that is here fits.`,
          fix: retryHint,
        }
  }
  const reason = `${model.name} is not in this image`
  const end = 'until it is fetched and answers.'
  return meanwhile
    ? {
        state: 'serving',
        model: meanwhile,
        pending,
        note: `${reason}: serving ${meanwhile.name} ${end}`,
      }
    : {
        state: 'waiting',
        model,
        pending,
        reason: `${reason}, and no model that is here fits: nothing is served ${end}`,
      }
}

/** What serves in place of a model: the baked one, else one that was fetched before and has answered; if any fits. */
function standIn(release: Release, model: Model, { isThere, misfit }: Knowledge, trials: Trials) {
  const isReady = (other: Model) =>
    other.name === release.model.name || (trials[other.sha256] === undefined && isThere(other))
  return modelsOf(release).find(
    other => other.name !== model.name && isReady(other) && misfit(other) === undefined,
  )
}
