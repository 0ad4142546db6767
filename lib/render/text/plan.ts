/** The plan as text: what fits into a VM, the memory of each part, the expected speed. */

import type { Model } from '../../appliance/models/catalogue.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { type Capacity, type CapacityRequest, planCapacity } from '../../appliance/sizing/capacity.ts'
import { planCompanions, reservedBy } from '../../appliance/sizing/companions.ts'
import {
  bandwidthShare,
  bandwidths,
  expectedGeneration,
  expectedPrompt,
  expectedPromptAtEnd,
  gigabyte,
  operationsPerCore,
  rangeText,
  type SpeedRange,
} from '../../appliance/sizing/expected-speed.ts'
import type { Machine } from '../../appliance/sizing/machine.ts'
import { gibibytes, type KvType, type Memory, sumOf } from '../../appliance/sizing/memory.ts'
import { smallestVm } from '../../appliance/sizing/smallest-vm.ts'
import { wrapped } from '../../appliance/text.ts'

export type PlanQuestion = {
  model: Model
  /** The VM's memory in bytes, as in its template; absent for this machine. */
  vmMemory?: number | undefined
  /** Bytes that its kernel can allocate. */
  memory: number
  cores: number
  /** This machine's CPU, if the question is about this machine. */
  cpu?: Machine['cpu']
  asked: CapacityRequest
  /** The models of services beside chat. */
  beside: CompanionModel[]
  /** Memory bandwidth in bytes per second, if known. */
  bandwidth?: number | undefined
}

const terms: Record<keyof Memory, string> = {
  mapped: 'weights, mapped from the file',
  repacked: 'weights, repacked',
  kvCache: 'KV cache',
  compute: 'compute buffers',
  process: 'llama-server itself',
  checkpoints: 'context checkpoints',
  promptCache: 'prompt cache in RAM',
  system: 'system and safety margin',
}

/** The plan for a machine of this size. Throws if the model does not fit at all. */
function plansFor({ model, memory, cores, cpu, asked, beside }: PlanQuestion) {
  const machine = { cpus: cores, physicalCores: cores, memory, cpu }
  const candidates = beside.map(one => ({ model: one, isRequested: true, isInstalled: true }))
  const { companions, reserved, notes } = planCompanions(machine, model, asked, candidates)
  return {
    capacity: planCapacity({ ...machine, reserved }, model, asked),
    companions: companions.map(({ capacity }) => capacity),
    reserved,
    notes,
  }
}

const machineOf = ({ vmMemory, memory }: PlanQuestion) =>
  vmMemory === undefined ? `this machine with ${gibibytes(memory)}` : `a VM with ${gibibytes(vmMemory)}`

const row = (name: string, value: string) => `  ${name.padEnd(31)}${value}`
const amount = (name: string, bytes: number) => row(name, gibibytes(bytes).padStart(9))
const range = (speed: SpeedRange) => `${rangeText(speed)} tokens/s`

const kvTypeTexts = {
  f16: 'f16 (16 bits)',
  'q8_0/f16': 'keys q8_0 (8 bits), values f16 (16 bits)',
  q8_0: 'q8_0 (8 bits)',
} satisfies Record<KvType, string>

/** What fits, its memory and expected speed, and the smallest VM for the request. */
export function planText(question: PlanQuestion): string {
  const { model, cores, asked } = question
  const { capacity, companions, reserved, notes: besideNotes } = plansFor(question)
  const { contextSize, slots, kvType, threads, memory, notes } = capacity
  return [
    `${model.name} on ${machineOf(question)} and ${cores} cores`,
    '',
    row('context per conversation', `${contextSize} tokens`),
    row('conversations at once', String(slots)),
    row('KV cache', kvTypeTexts[kvType]),
    row('threads', String(threads)),
    '',
    'Memory',
    ...termRows(memory),
    ...companions.map(one => amount(one.model.name, reservedBy([one]))),
    amount('total', sumOf(memory) + reserved),
    amount('available', question.memory),
    '',
    'Expected speed, with one conversation at a time',
    ...speedRows(question, { contextSize, kvType }),
    '',
    row(
      'smallest VM for this request',
      gibibytes(smallestVm(model, asked, { ...question, reserved })).padStart(9),
    ),
    ...[...besideNotes, ...notes].flatMap(note => ['', ...wrapped(`Note: ${note}`, 78)]),
    '',
  ].join('\n')
}

/** Only models with a sliding window or recurrent layers have checkpoints. */
const termRows = (memory: Memory) =>
  Object.entries(terms)
    .map(([term, name]) => ({ term, name, bytes: memory[term as keyof Memory] }))
    .filter(({ term, bytes }) => term !== 'checkpoints' || bytes > 0)
    .map(({ name, bytes }) => amount(name, bytes))

function speedRows(
  { model: { geometry }, cores, bandwidth }: PlanQuestion,
  sizing: Pick<Capacity, 'contextSize' | 'kvType'>,
): string[] {
  const machines =
    bandwidth === undefined
      ? Object.entries(bandwidths).map(([name, bytes]) => ({ bytes, machine: ` (a ${name})` }))
      : [{ bytes: bandwidth, machine: '' }]
  return [
    row('prompts', range(expectedPrompt(geometry, cores))),
    row(`prompts after ${sizing.contextSize} tokens`, range(expectedPromptAtEnd(geometry, cores, sizing))),
    ...machines.map(({ bytes, machine }) =>
      row(
        'generation',
        `${range(expectedGeneration(geometry, bytes))} at ${bytes / gigabyte} GB/s${machine}`,
      ),
    ),
    `  Rules: generation reads ${(geometry.active / gigabyte).toFixed(1)} GB for each token, at ${bandwidthShare.least} to ${bandwidthShare.most} of the`,
    '  bandwidth; a prompt takes two operations per active parameter and token,',
    `  at ${operationsPerCore.least / gigabyte} to ${operationsPerCore.most / gigabyte} billion operations/s on each core.`,
  ]
}

/** The plan as JSON, in bytes and tokens per second. */
export function planJson(question: PlanQuestion): string {
  const { model, cores, vmMemory, asked, bandwidth } = question
  const generation = bandwidth === undefined ? undefined : expectedGeneration(model.geometry, bandwidth)
  const { capacity, companions, reserved } = plansFor(question)
  const prompt = expectedPrompt(model.geometry, cores)
  const promptAtEnd = expectedPromptAtEnd(model.geometry, cores, capacity)
  const expected = { prompt, promptAtEnd, generation }
  const smallest = smallestVm(model, asked, { ...question, reserved })
  return `${JSON.stringify({ vmMemory, ...capacity, companions, expected, smallestVm: smallest }, null, 2)}\n`
}
