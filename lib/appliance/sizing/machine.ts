/** The machine to plan for, and the memory that llama-server may use on it. */
import type { Model } from '../models/catalogue.ts'
import { hasAmx } from './hardware.ts'
import { memoryBudget } from './search.ts'
import { applies, type Shortage } from './shortage.ts'

export type Machine = {
  /** CPUs that threads can run on. */
  cpus: number
  /** Physical cores: hyper-threads not counted. */
  physicalCores: number
  /** Bytes of RAM that the kernel can allocate (MemTotal of proc_meminfo(5)). */
  memory: number
  /** Absent for a hypothetical machine, which is taken to have no AMX. */
  cpu?: { features: string[] } | undefined
  /** Set if llama-server has run out of memory on this machine. */
  shortage?: Shortage | undefined
  /** Bytes that the services beside chat take. */
  reserved?: number | undefined
}

/** Whether llama-server packs weights for AMX there. */
export const packsForAmx = ({ cpu }: Pick<Machine, 'cpu'>) => hasAmx(cpu?.features ?? [])

/** The memory for this model; less than the machine has, once llama-server has run out of it. */
export const memoryOn = (machine: Machine, model: Model) =>
  memoryBudget(machine.memory, packsForAmx(machine), model, {
    most: shortageOn(machine, model)?.most,
    reserved: machine.reserved,
  })

/** The shortage to plan by, if there was one with this model and this memory. */
export const shortageOn = ({ shortage, memory }: Machine, { sha256 }: Model) =>
  shortage !== undefined && applies(shortage, sha256, memory) ? shortage : undefined
