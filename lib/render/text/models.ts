/** The models that may be asked for, and what of each fits here, in 80 columns. */

import type { Model } from '../../appliance/models/catalogue.ts'
import {
  type Asked,
  type Machine,
  planCapacity,
  refusalOf,
  smallestVm,
} from '../../appliance/sizing/capacity.ts'
import { gigabyte } from '../../appliance/sizing/expected-speed.ts'
import { GiB } from '../../appliance/sizing/memory.ts'

/** What the context asks for when it says nothing. */
const asked: Asked = { contextSize: 32_768, parallel: 'auto', threads: 0 }
const least = { contextSize: 4096, parallel: 1 } as const

function room(model: Model, machine: Machine): string {
  if (refusalOf(machine, model, asked) !== undefined)
    return `does not fit: a VM of ${smallestVm(model, least) / GiB} GiB or more`
  const { slots, contextSize } = planCapacity(machine, model, asked)
  return `fits: ${slots} × ${contextSize} tokens`
}

/** A paragraph for each. `served`: the name of the one in force, where there is one. */
export const modelsText = (models: Model[], machine: Machine, served?: string | undefined): string =>
  models
    .map(model =>
      [
        `${model.name}${model.name === served ? '  (served now)' : ''}`,
        ...(model.goodAt === undefined ? [] : [`  ${model.goodAt}`]),
        `  ${(model.size / gigabyte).toFixed(1)} GB; licence ${model.licence ?? 'not known'}; ${room(model, machine)}`,
        '',
      ].join('\n'),
    )
    .join('\n')
