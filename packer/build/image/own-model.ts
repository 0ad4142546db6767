/** A model of one's own in the image: by URL and digest, planned by its header. */
import { describedModel, knownByDigest, nameFor } from '../../../lib/appliance/models/own-model.ts'
import { modelsOf } from '../../../lib/appliance/models/release.ts'
import { readModelAt } from '../../../lib/steps/models/remote-header.ts'
import { openHost } from '../../../lib/system/host.ts'
import { step } from '../progress.ts'
import type { Settings } from './settings.ts'

/** The settings, with the model at MODEL_URL baked in if there is one. Throws if its header cannot be planned. */
export async function withOwnModel(settings: Settings): Promise<Settings> {
  const { ownModel, release } = settings
  if (ownModel === undefined) return settings
  const others = modelsOf(release)
  const companions = release.companions.map(companion => companion.name)
  const name = nameFor(ownModel, others, companions)
  const read = () => readModelAt(openHost({ env: {} }), ownModel.url)
  const model =
    knownByDigest(release, ownModel) ?? describedModel(name, ownModel, await step(`Header of ${name}`, read))
  const further = others.filter(({ sha256 }) => sha256 !== ownModel.sha256)
  return { ...settings, release: { ...release, model, further } }
}
