/** The documents' tables of models: what each is good at, how fast it may be, and what fits into a VM. */

import { catalogue, type Model } from '../../appliance/models/catalogue.ts'
import { type CompanionModel, companionCatalogue } from '../../appliance/models/companions.ts'
import { ranked } from '../../appliance/models/ranking.ts'
import type { CompanionKind } from '../../appliance/requests/services.ts'
import {
  type CapacityRequest,
  defaultRequest,
  leastRequest,
  planCapacity,
} from '../../appliance/sizing/capacity.ts'
import { planCompanions } from '../../appliance/sizing/companions.ts'
import {
  bandwidths,
  expectedGeneration,
  expectedPrompt,
  gigabyte,
  rangeText,
} from '../../appliance/sizing/expected-speed.ts'
import { checkpointsOf, GiB, type Sizing } from '../../appliance/sizing/memory.ts'
import { memoryInVm, smallestVm } from '../../appliance/sizing/smallest-vm.ts'

const models: Model[] = Object.values(catalogue)
const cores = 16

/** Each model of the catalogue, the best first: purpose, quality, licence, size, and expected speed on a server. */
export const modelTable = () =>
  [
    `| model | good at | solves | licence | file | smallest VM | prompts, tokens/s | answers, tokens/s | resumes from |`,
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
        resumesFrom(model),
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
  ].join('\n')

/** From where it can carry on a conversation whose history has changed. */
const resumesFrom = ({ geometry }: Model) =>
  geometry.recurrent === undefined && geometry.slidingWindow === undefined
    ? 'any token'
    : `one of ${checkpointsOf(geometry)} checkpoints`

const sizes = [16, 32, 64, 128]

const machineOf = (size: number) => ({
  cpus: cores,
  physicalCores: cores,
  memory: memoryInVm(size * GiB),
})

const sizingText = ({ slots, contextSize, kvType }: Sizing) =>
  `${slots} × ${contextSize}${kvType === 'f16' ? '' : ` (${kvType})`}`

/** Concurrent conversations × context size in a VM of `size` GiB. */
const cell = (model: Model, size: number, asked: CapacityRequest): string =>
  smallestVm(model, leastRequest) > size * GiB ? '–' : sizingText(planCapacity(machineOf(size), model, asked))

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

const defaultOf = (kind: CompanionKind) =>
  Object.values<CompanionModel>(companionCatalogue)
    .filter(model => model.kind === kind)
    .slice(0, 1)

const choices: CompanionKind[][] = [[], ['completion'], ['completion', 'embeddings', 'reranking']]

/** What services beside chat leave of the default request; none runs where chat would not fit any more. */
function besideCell(size: number, kinds: CompanionKind[]): string {
  const machine = machineOf(size)
  const chat = catalogue['devstral-small-2']
  const wanted = kinds.flatMap(defaultOf)
  const candidates = wanted.map(model => ({ model, isRequested: true, isInstalled: true }))
  const { companions, reserved } = planCompanions(machine, chat, defaultRequest, candidates)
  if (companions.length < wanted.length) return 'does not fit'
  return sizingText(planCapacity({ ...machine, reserved }, chat, defaultRequest))
}

/** What is left of Devstral beside the default models of each choice of services. */
export const besideTable = () =>
  [
    '| VM | nothing beside it | completion | all three |',
    '|---|---|---|---|',
    ...[16, 24, 32, 48, 64].map(
      size => `| ${size} GiB | ${choices.map(kinds => besideCell(size, kinds)).join(' | ')} |`,
    ),
    '',
  ].join('\n')
