/** Which model is served, and which one is wanted and yet to be fetched or tried. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import { type Model, modelSchema } from './catalogue.ts'
import { modelsOf, type Release } from './release.ts'

export const wantedSchema = z.strictObject({
  model: modelSchema,
  /** Where it comes from. */
  url: z.string(),
  /** What a trial's outcome holds for, as text: with other ones it is worth another. */
  circumstances: z.string(),
})

export type Wanted = z.infer<typeof wantedSchema>

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

export type Choice = {
  serve: Model
  wanted?: Wanted
  /** What report, banner and log say when it is not the model that was asked for. */
  note?: string
  /** Why nothing is served as long as `serve`, which was asked for, has not come and answered. */
  unserved?: string
}

/** The command that has a model tried again that failed. */
export const retryCommand = 'slm-copilot fetch-model --retry'

/** The variables that decide it. */
type Asked = Pick<Context, 'model' | 'modelMirror' | 'contextSize' | 'parallel' | 'threads'>

/** Where a model comes from: a mirror has it under the file name of its maker's address. */
export const modelUrl = ({ url }: Model, mirror: string | undefined): string =>
  mirror === undefined ? url : `${mirror.replace(/\/+$/, '')}/${url.split('/').at(-1)}`

/** What the context wants of a model that is not baked in. `memory`: bytes of RAM. */
function wantedOf(model: Model, { llamaCpp }: Release, asked: Asked, memory: number): Wanted {
  const { contextSize, parallel, threads, modelMirror } = asked
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
export function chooseModel(release: Release, asked: Asked, knowledge: Knowledge, trials: Trials): Choice {
  const baked = release.model
  const model = modelsOf(release).find(({ name }) => name === asked.model) ?? baked
  if (model.name === baked.name) return { serve: baked }
  const { memory, isThere, misfit } = knowledge
  const meanwhile = standIn(release, model, knowledge, trials)
  const problem = misfit(model)
  if (problem !== undefined)
    return meanwhile ? { serve: meanwhile, note: `${problem} Serving ${meanwhile.name}.` } : { serve: model }
  const trial = trials[model.sha256]
  if (trial === undefined && isThere(model)) return { serve: model }

  const wanted = wantedOf(model, release, asked, memory)
  if (trial?.outcome === 'failed' && trial.circumstances === wanted.circumstances) {
    const said = `${model.name} is not served: ${trial.why}`
    const again = `To try again: ${retryCommand}`
    return meanwhile
      ? { serve: meanwhile, note: `${said} Serving ${meanwhile.name}. ${again}` }
      : { serve: model, unserved: `${said} No other model that is here fits. ${again}` }
  }
  const said = `${model.name} is not in this image`
  const end = 'until it is fetched and answers.'
  return meanwhile
    ? { serve: meanwhile, wanted, note: `${said}: serving ${meanwhile.name} ${end}` }
    : { serve: model, wanted, unserved: `${said}, and no model that is here fits: nothing is served ${end}` }
}

/** What serves in place of a model: the baked one, else one that was fetched before and has answered; if any fits. */
function standIn(release: Release, model: Model, { isThere, misfit }: Knowledge, trials: Trials) {
  const isReady = (other: Model) =>
    other.name === release.model.name || (trials[other.sha256] === undefined && isThere(other))
  return modelsOf(release).find(
    other => other.name !== model.name && isReady(other) && misfit(other) === undefined,
  )
}
