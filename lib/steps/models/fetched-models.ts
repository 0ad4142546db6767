/** Models besides the baked-in one: their states, and removing those that are no longer needed. */
import type { Model } from '../../appliance/models/catalogue.ts'
import type { Knowledge } from '../../appliance/models/choice.ts'
import { modelsOf, type Release } from '../../appliance/models/release.ts'
import {
  type ModelEvent,
  type ModelState,
  outcomeOf,
  storedState,
  transition,
  type Verifications,
} from '../../appliance/models/verification.ts'
import { paths } from '../../appliance/paths.ts'
import { type CapacityRequest, refusalOf } from '../../appliance/sizing/capacity.ts'
import type { Machine } from '../../appliance/sizing/machine.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readable } from '../../system/large-files.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { removeProven } from '../../system/verified-files.ts'
import { isVerified, modelFile } from './model-file.ts'

export const readVerifications = (host: Host): Verifications =>
  readState(host, stateFiles.verifications) ?? {}

/** A model's state, from these outcomes and its file. */
export const modelState = (host: Host, outcomes: Verifications, model: Model): ModelState =>
  storedState(outcomes[model.sha256], isVerified(host, model))

/** The outcomes after an event, without recording it. */
export function outcomesAfter(host: Host, model: Model, event: ModelEvent): Verifications {
  const outcomes = readVerifications(host)
  const { [model.sha256]: _, ...others } = outcomes
  const outcome = outcomeOf(transition(modelState(host, outcomes, model), event))
  return outcome === undefined ? others : { ...others, [model.sha256]: outcome }
}

/** Records the outcome of an event. */
export const recordEvent = (host: Host, model: Model, event: ModelEvent): void =>
  writeState(host, stateFiles.verifications, outcomesAfter(host, model, event))

/** Marks the release's failed models to be tried again. Returns whether there are any. */
export function retryFailed(host: Host, release: Release): boolean {
  const outcomes = readVerifications(host)
  const failed = modelsOf(release).filter(model => modelState(host, outcomes, model).state === 'failed')
  for (const model of failed) recordEvent(host, model, { type: 'retried' })
  return failed.length > 0
}

/** What the choice of a model depends on: the state of each on this machine, and whether it fits. */
export const modelKnowledge = (
  host: Host,
  machine: Machine,
  request: CapacityRequest,
  verifications: Verifications,
): Knowledge => ({
  memory: machine.memory,
  stateOf: model => modelState(host, verifications, model),
  misfit: model => refusalOf(machine, model, request),
  served: /^LLAMA_ARG_ALIAS=(.+)$/m.exec(host.files.read(paths.llamaEnvironment) ?? '')?.[1],
})

/** Removes complete and partial downloads of all models of the release except these. */
export function removeOthers(host: Host, release: Release, kept: Model[]): void {
  const names = kept.map(({ name }) => name)
  for (const model of modelsOf(release).filter(({ name }) => !names.includes(name))) {
    const { path, proofs } = modelFile(model)
    for (const file of [path, `${path}.part`]) {
      const found = host.files.status(file)
      // A link's file is on another disk: removing the link would free nothing.
      if (found === undefined || found.isLink) continue
      removeProven(host, { path: file, proofs })
      recordEvent(host, model, { type: 'removed' })
      host.log.info(
        `${file}: removed, since the context no longer requests this model; ${readable(found.size)} freed`,
      )
    }
  }
}
