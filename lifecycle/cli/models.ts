/** `slm-copilot models`: the models for chat, and how much of each fits; and those for the services beside it. */

import { catalogue, type Model } from '../../lib/appliance/models/catalogue.ts'
import { type CompanionModel, companionCatalogue } from '../../lib/appliance/models/companions.ts'
import { modelsOf } from '../../lib/appliance/models/release.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { memoryInVm } from '../../lib/appliance/sizing/smallest-vm.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { companionsText, howToServe, modelsText } from '../../lib/render/text/models.ts'
import { releaseWithOwnModels } from '../../lib/steps/models/own-models.ts'
import type { Host } from '../../lib/system/host.ts'
import { readState } from '../../lib/system/state-files.ts'
import { memoryFrom } from './sizes.ts'

/** The list. `memory`: of a VM, such as `32G`; this machine's if absent. Throws if it is not a valid size. */
export function modelsList(host: Host, memory: string | undefined): string {
  const isAppliance = host.files.read(paths.release) !== undefined
  const models: Model[] = isAppliance ? modelsOf(releaseWithOwnModels(host)) : Object.values(catalogue)
  const facts = host.facts()
  const machine = memory === undefined ? facts : { ...facts, memory: memoryInVm(memoryFrom(memory)) }
  const plan = readState(host, stateFiles.plan)
  const served = plan?.state === 'serving' ? plan.capacity.model.name : undefined
  const beside = isAppliance
    ? releaseWithOwnModels(host).companions
    : Object.values<CompanionModel>(companionCatalogue)
  return modelsText(models, machine, served) + howToServe + companionsText(beside)
}
