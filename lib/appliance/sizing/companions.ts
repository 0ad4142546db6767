/** The plan of the services beside chat: memory and threads of each, and what they take from chat. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'
import type { Model } from '../models/catalogue.ts'
import { type CompanionModel, companionModelSchema } from '../models/companions.ts'
import { companionLimits, vectorLimits } from '../nginx/limits.ts'
import type { CompanionKind } from '../requests/services.ts'
import { type CapacityRequest, capacitySchema, planCapacity, refusalOf } from './capacity.ts'
import { type Machine, packsForAmx } from './machine.ts'
import { gibibytes, type Memory, MiB, memoryOf, type Sizing, sumOf } from './memory.ts'

const companionCapacitySchema = capacitySchema.extend({ model: companionModelSchema })

export type CompanionCapacity = z.infer<typeof companionCapacitySchema>

export const companionSchema = z.strictObject({
  capacity: companionCapacitySchema,
  /** Where its model is downloaded from. */
  url: z.string(),
  /** Whether its model is on the disk, and verified. */
  isInstalled: z.boolean(),
})

/** A service beside chat, in the plan. */
export type Companion = z.infer<typeof companionSchema>

/** `promptCache`: in bytes. */
type CompanionSizing = Sizing & { batchSize: number; promptCache: number }

/**
 * Fixed: what these services are asked does not depend on the VM. Completion: what surrounds the cursor, and some
 * recent files; each developer's last prompt stays in the prompt cache. Embeddings and reranking: a piece of a file
 * each, which an encoder takes as one batch.
 */
const sizingOf: Record<CompanionKind, CompanionSizing> = {
  completion: { contextSize: 6144, slots: 2, kvType: 'f16', batchSize: 1024, promptCache: 512 * MiB },
  embeddings: { contextSize: 2048, slots: 1, kvType: 'f16', batchSize: 2048, promptCache: 0 },
  reranking: { contextSize: 2048, slots: 1, kvType: 'f16', batchSize: 2048, promptCache: 0 },
}

/** How far a service may exceed its plan before the kernel kills it. */
const tolerance = 1.1

/** Bytes of the answers that llama-server may hold at once: only vectors are large. */
function answersSize(kind: CompanionKind): number {
  const { numbers, whileWritten, whileRead } = vectorLimits
  return kind === 'embeddings' ? numbers * (whileWritten + companionLimits.embeddings.all * whileRead) : 0
}

/** The plan of one service. */
export function companionCapacity(
  machine: Pick<Machine, 'cpus' | 'physicalCores' | 'cpu'>,
  model: CompanionModel,
): CompanionCapacity {
  const { promptCache, batchSize, ...sizing } = sizingOf[model.kind]
  const needed = memoryOf(model.geometry, model.size, { ...sizing, batchSize }, packsForAmx(machine))
  // An encoder computes each text in one batch, and keeps nothing.
  const kvCache = model.pooling === 'mean' ? 0 : needed.kvCache
  const process = needed.process + answersSize(model.kind)
  const memory: Memory = { ...needed, kvCache, process, promptCache, system: 0 }
  return {
    model,
    ...sizing,
    threads: Math.min(machine.physicalCores, machine.cpus),
    batchSize,
    memory,
    memoryLimit: Math.ceil((tolerance * sumOf(memory)) / MiB) * MiB,
    notes: [],
  }
}

/** Bytes that chat cannot have because of these services. */
export const reservedBy = (capacities: CompanionCapacity[]): number =>
  capacities.reduce((sum, { memory }) => sum + sumOf(memory), 0)

/** A model that a service may run. */
export type Candidate = {
  model: CompanionModel
  /** Requested by name; otherwise it runs only if chat loses nothing. */
  isRequested: boolean
  isInstalled: boolean
}

type CompanionRequest = Pick<Context, 'completion' | 'embeddings'>

/**
 * The models that the context asks for. `auto` downloads nothing: it takes the first completion model that is on the
 * disk, unless the chat model fills gaps itself.
 */
export function candidatesFor(
  models: CompanionModel[],
  { completion, embeddings }: CompanionRequest,
  chat: Pick<Model, 'infills'>,
  isInstalled: (model: CompanionModel) => boolean,
): Candidate[] {
  const requested = [completion, ...embeddings].flatMap(name => models.filter(model => model.name === name))
  const found =
    completion === 'auto' && chat.infills !== true
      ? models.filter(model => model.kind === 'completion' && isInstalled(model)).slice(0, 1)
      : []
  return [
    ...requested.map(model => ({ model, isRequested: true, isInstalled: isInstalled(model) })),
    ...found.map(model => ({ model, isRequested: false, isInstalled: true })),
  ]
}

export type PlannedCompanions = {
  companions: { capacity: CompanionCapacity; isInstalled: boolean }[]
  /** Bytes that they take. */
  reserved: number
  /** Which of them do not run, or what chat loses by them. */
  notes: string[]
}

/** Takes those that fit beside chat, in this order. Chat comes first: one that would leave it no room does not run. */
export function planCompanions(
  machine: Machine,
  chat: Model,
  request: CapacityRequest,
  candidates: Candidate[],
): PlannedCompanions {
  const planned: PlannedCompanions = { companions: [], reserved: 0, notes: [] }
  if (refusalOf(machine, chat, request) !== undefined) return planned
  for (const { model, isRequested, isInstalled } of candidates) {
    const capacity = companionCapacity(machine, model)
    const taken = reservedBy([capacity])
    const left = leftOfChat({ machine, chat, request }, planned.reserved, taken)
    if (left === undefined && isRequested)
      planned.notes.push(
        `${model.name} is not run: beside ${chat.name}, this VM has no room for the ${gibibytes(taken)} that it takes. Give the VM more memory.`,
      )
    if (left === undefined || (left !== '' && !isRequested)) continue
    if (left !== '')
      planned.notes.push(`${model.name} takes ${gibibytes(taken)} from chat, which now has ${left}.`)
    planned.companions.push({ capacity, isInstalled })
    planned.reserved += taken
  }
  return planned
}

/** What is left of what chat loses if `taken` bytes more are reserved; empty if it loses nothing, undefined if all. */
function leftOfChat(
  { machine, chat, request }: { machine: Machine; chat: Model; request: CapacityRequest },
  reserved: number,
  taken: number,
): string | undefined {
  const beside = (bytes: number) => ({ ...machine, reserved: bytes })
  if (refusalOf(beside(reserved + taken), chat, request) !== undefined) return undefined
  const before = planCapacity(beside(reserved), chat, request)
  const after = planCapacity(beside(reserved + taken), chat, request)
  const losses = [
    ...(after.slots < before.slots ? [`${after.slots} of ${before.slots} conversations at once`] : []),
    ...(after.contextSize < before.contextSize
      ? [`a context of ${after.contextSize} tokens instead of ${before.contextSize}`]
      : []),
    ...(after.kvType !== before.kvType ? [`a KV cache in ${after.kvType} instead of ${before.kvType}`] : []),
  ]
  if (losses.length > 0) return losses.join(', ')
  return after.notes.length > before.notes.length ? 'less memory for cached prompts' : ''
}
