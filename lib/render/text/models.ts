/** The list of available models, and how much of each fits, in 80 columns. */

import { variables } from '../../appliance/context/variables.ts'
import type { Model } from '../../appliance/models/catalogue.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { qualityText, ranked } from '../../appliance/models/ranking.ts'
import { defaultRequest, leastRequest, planCapacity, refusalOf } from '../../appliance/sizing/capacity.ts'
import { expectedText, gigabyte } from '../../appliance/sizing/expected-speed.ts'
import type { Machine } from '../../appliance/sizing/machine.ts'
import { GiB } from '../../appliance/sizing/memory.ts'
import { smallestVm } from '../../appliance/sizing/smallest-vm.ts'

function fitOf(model: Model, machine: Machine): string {
  if (refusalOf(machine, model, defaultRequest) !== undefined)
    return `does not fit: needs a VM with at least ${smallestVm(model, leastRequest, machine) / GiB} GiB`
  const { slots, contextSize } = planCapacity(machine, model, defaultRequest)
  return `fits: ${slots} × ${contextSize} tokens`
}

const isFitting = (machine: Machine) => (model: Model) =>
  refusalOf(machine, model, defaultRequest) === undefined

/** A paragraph for each model, the best that fits first. `served`: the name of the one being served, if any. */
export const modelsText = (models: Model[], machine: Machine, served?: string | undefined): string =>
  ranked(models, isFitting(machine))
    .map(model =>
      [
        `${model.name}${model.name === served ? '  (being served)' : ''}`,
        ...(model.goodAt === undefined ? [] : [`  ${model.goodAt}`]),
        `  ${qualityText(model)}`,
        `  tokens/s: ${expectedText(model.geometry, machine.physicalCores)}`,
        `  ${(model.size / gigabyte).toFixed(1)} GB; licence ${licenceOf(model)}; ${fitOf(model, machine)}`,
        '',
      ].join('\n'),
    )
    .join('\n')

const licenceOf = ({ licence, own }: Model) =>
  own === undefined ? (licence ?? 'unknown') : `${own.licence ?? 'unknown'} (your own: unchecked)`

/** How to have a model served. */
export const howToServe = `
To serve another of these models: ${variables.model.name}=NAME in the VM's context.
`

/** The models for services beside chat, a line each, and how to have them run. */
export const companionsText = (models: CompanionModel[]): string =>
  models.length === 0
    ? ''
    : `
For completion and search, beside chat:

${models
  .map(
    ({ name, kind, size, isBaked }) =>
      `  ${name.padEnd(24)}${kind.padEnd(12)}${(size / gigabyte).toFixed(1)} GB${isBaked ? ', in the image' : ''}\n`,
  )
  .join('')}
To run them: ${variables.completion.name}=NAME, ${variables.embeddings.name}=NAME.
`
