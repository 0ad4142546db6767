/** Models beside the baked one: which are there, how their trials stand, fetching one, removing those no longer wanted. */
import type { Model } from '../../appliance/models/catalogue.ts'
import { type PendingModel, type Trials, trialSchema } from '../../appliance/models/choice.ts'
import { modelsOf, type Release } from '../../appliance/models/release.ts'
import { modelPath } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { download, type Progress } from '../../system/download.ts'
import type { Host } from '../../system/host.ts'
import { readable } from '../../system/large-files.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { isProven, removeProven } from '../../system/verified-files.ts'

const fileOf = ({ name, sha256 }: Model) => ({
  path: modelPath(name),
  sha256,
  proofs: stateFiles.fileProofs,
})

/** Whether a model's file stands, proven, at its name. */
export const isModelThere =
  (host: Host) =>
  (model: Model): boolean =>
    isProven(host, fileOf(model))

/** The trials of models that have not answered yet. */
export const readTrials = (host: Host): Trials => readState(host, stateFiles.trials) ?? {}

/** Remembers how a model's trial stands; without an outcome that it has answered. */
export function recordTrial(
  host: Host,
  { model, circumstances }: PendingModel,
  trial: { outcome: 'under way' } | { outcome: 'failed'; why: string } | undefined,
): void {
  const { [model.sha256]: _, ...others } = readTrials(host)
  const own = trial && { [model.sha256]: trialSchema.parse({ why: '', ...trial, circumstances }) }
  writeTrials(host, { ...others, ...own })
}

const writeTrials = (host: Host, trials: Trials): void => writeState(host, stateFiles.trials, trials)

/** Has models tried again that failed, as ones that are yet to answer. Says whether any trial is open. */
export function forgetFailures(host: Host): boolean {
  const trials = Object.entries(readTrials(host))
  const again = trials.map(
    ([digest, trial]) => [digest, { ...trial, outcome: 'under way', why: '' }] as const,
  )
  writeTrials(host, Object.fromEntries(again))
  return trials.length > 0
}

/** Downloads what is missing of a model. Throws as `download` does. */
export const fetchWeights = (
  host: Host,
  { model, url }: PendingModel,
  tell: (progress: Progress) => void,
): Promise<void> => download(host, { ...fileOf(model), size: model.size, url }, tell)

/** Removes what was fetched of the release's models, in whole or in part, except these. */
export function removeOthers(host: Host, release: Release, kept: Model[]): void {
  const names = kept.map(({ name }) => name)
  for (const model of modelsOf(release).filter(({ name }) => !names.includes(name))) {
    const { path, proofs } = fileOf(model)
    for (const file of [path, `${path}.part`]) {
      const size = host.files.status(file)?.size
      if (size === undefined) continue
      removeProven(host, { path: file, proofs })
      host.log.info(`${file}: removed, ${readable(size)} freed: it is no longer wanted`)
    }
  }
}
