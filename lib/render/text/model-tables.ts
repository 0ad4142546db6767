/** The documents' tables of models: what each is good at and how fast it may be, and what fits into a VM of each size. */

import { catalogue, type Model } from '../../appliance/models/catalogue.ts'
import { ranked } from '../../appliance/models/ranking.ts'
import {
  type CapacityRequest,
  defaultRequest,
  leastRequest,
  planCapacity,
} from '../../appliance/sizing/capacity.ts'
import {
  bandwidths,
  expectedGeneration,
  expectedPrompt,
  gigabyte,
  rangeText,
} from '../../appliance/sizing/expected-speed.ts'
import { checkpointsOf, GiB } from '../../appliance/sizing/memory.ts'
import { memoryInVm, smallestVm } from '../../appliance/sizing/smallest-vm.ts'

const models: Model[] = Object.values(catalogue)
const cores = 16

/** Each model of the catalogue, the best first: purpose, quality, licence, size, and expected speed on a server. */
export const modelTable = () =>
  [
    `| model | good at | solves | licence | file | smallest VM | prompts, tokens/s | answers, tokens/s | goes back to |`,
    '|---|---|---|---|---|---|---|---|---|',
    ...ranked(models, () => true).map(model =>
      [
        '',
        `\`${model.name}\``,
        model.goodAt ?? '',
        model.quality === undefined ? '–' : `${model.quality.independent} %`,
        model.licence ?? 'unknown',
        `${(model.size / gigabyte).toFixed(1)} GB`,
        `${smallestVm(model, leastRequest) / GiB} GiB`,
        rangeText(expectedPrompt(model.geometry, cores)),
        rangeText(expectedGeneration(model.geometry, bandwidths.server)),
        goesBackTo(model),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
  ].join('\n')

/** From where it can carry on a conversation whose history has changed. */
const goesBackTo = ({ geometry }: Model) =>
  geometry.recurrent === undefined && geometry.slidingWindow === undefined
    ? 'any token'
    : `${checkpointsOf(geometry)} checkpoints`

const sizes = [16, 32, 64, 128]

/** Concurrent conversations × context size in a VM of `size` GiB. */
function cell(model: Model, size: number, asked: CapacityRequest): string {
  if (smallestVm(model, leastRequest) > size * GiB) return '–'
  const memory = memoryInVm(size * GiB)
  const { slots, contextSize, kvType } = planCapacity(
    { cpus: cores, physicalCores: cores, memory },
    model,
    asked,
  )
  return `${slots} × ${contextSize}${kvType === 'f16' ? '' : ` (${kvType})`}`
}

/** What fits into VMs of several sizes: every catalogue model with the default and the largest context size. */
export const sizingTable = () =>
  [
    `| model | smallest VM | context size | ${sizes.map(size => `${size} GiB`).join(' | ')} |`,
    `|---|---|---|${sizes.map(() => '---|').join('')}`,
    ...models.flatMap(model => {
      const smallest = smallestVm(model, leastRequest) / GiB
      const cells = (asked: CapacityRequest) => sizes.map(size => cell(model, size, asked)).join(' | ')
      return [
        `| \`${model.name}\` | ${smallest} GiB | default | ${cells(defaultRequest)} |`,
        `| | | \`auto\` | ${cells({ ...defaultRequest, contextSize: 'auto' })} |`,
      ]
    }),
    '',
  ].join('\n')
