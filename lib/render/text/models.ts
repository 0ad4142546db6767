/** The list of available models, and how much of each fits, in 80 columns. */

import type { Model } from '../../appliance/models/catalogue.ts'
import {
  defaultRequest,
  leastRequest,
  type Machine,
  planCapacity,
  refusalOf,
  smallestVm,
} from '../../appliance/sizing/capacity.ts'
import { gigabyte } from '../../appliance/sizing/expected-speed.ts'
import { GiB } from '../../appliance/sizing/memory.ts'

function fitOf(model: Model, machine: Machine): string {
  if (refusalOf(machine, model, defaultRequest) !== undefined)
    return `does not fit: needs a VM with at least ${smallestVm(model, leastRequest, machine) / GiB} GiB`
  const { slots, contextSize } = planCapacity(machine, model, defaultRequest)
  return `fits: ${slots} × ${contextSize} tokens`
}

/** A paragraph for each model. `served`: the name of the one being served, if any. */
export const modelsText = (models: Model[], machine: Machine, served?: string | undefined): string =>
  models
    .map(model =>
      [
        `${model.name}${model.name === served ? '  (being served)' : ''}`,
        ...(model.goodAt === undefined ? [] : [`  ${model.goodAt}`]),
        `  ${(model.size / gigabyte).toFixed(1)} GB; licence ${model.licence ?? model.own?.licence ?? 'unknown'}${model.own === undefined ? '' : ' (your own: unchecked)'}; ${fitOf(model, machine)}`,
        '',
      ].join('\n'),
    )
    .join('\n')
