/**
 * Persists the prompt cache across restarts of llama-server: slots are saved to files, and restored once
 * verified.
 *
 * llama-server aborts if a slot's file is shorter than its header says (v0.5.0, GGML_ASSERT in
 * state_seq_load_file). So only files with verified size and digest are restored, and their index is removed
 * first: a file that makes llama-server abort anyway does so only once.
 *
 * A file holds the KV cache of one slot, but neither the prompt cache in RAM nor checkpoints: a model with a
 * sliding window (gpt-oss) has none to return to, and recomputes the prompt (server-context.cpp,
 * pos_min_thold).
 */
import {
  fileOfSlot,
  identityOf,
  type PersistedPromptCache,
  type PersistedSlot,
} from '../../appliance/llama/prompt-cache.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { freeBytes, readable, sha256Of, syncFile } from '../../system/large-files.ts'
import { environmentOf, programOf, residentSetOf } from '../../system/processes.ts'
import { readState, writeState } from '../../system/state-files.ts'

/** Seconds within which all slots must be saved; a busy slot is saved when its answer ends. */
const saveTimeout = 60
/** Seconds within which one slot must be restored: 5 GB at 100 MB/s take 50. */
const restoreTimeout = 60
/** Slots with fewer tokens are not worth a file: recomputing them takes seconds. */
const leastTokens = 500
/** Bytes to leave free on the disk. */
const diskReserve = 2 ** 30

const pathOf = (slot: number) => `${paths.promptCacheFolder}/${fileOfSlot(slot)}`

function readServer(host: Host, pid: number) {
  const environment = environmentOf(host, pid)
  const weights = host.files.status(environment.LLAMA_ARG_MODEL ?? '')
  if (weights === undefined)
    throw new Error(
      `the model file of llama-server (process ${pid}) is missing: its prompt cache cannot be used`,
    )
  const { size, changedAt } = weights
  const slots = Number(environment.LLAMA_ARG_N_PARALLEL)
  return {
    slots,
    identity: identityOf({ program: programOf(host, pid), environment, weights: { size, changedAt } }),
  }
}

/** Removes the saved prompt cache: the index first, without which no file is used. */
export function discardPromptCache(host: Host): void {
  host.files.remove(paths.promptCacheIndex)
  for (const name of host.files.list(paths.promptCacheFolder))
    host.files.remove(`${paths.promptCacheFolder}/${name}`)
}

/** Makes the llama-server with this PID save its slots, if the disk has room. Logs what could not be saved. */
export async function savePromptCache(host: Host, pid: number): Promise<void> {
  discardPromptCache(host)
  const { slots, identity } = readServer(host, pid)
  // Upper bound: the files hold no more than the KV cache, which is part of anonymous memory.
  const atMost = residentSetOf(host, pid)?.anonymous ?? 0
  const free = freeBytes(host.files.at(paths.promptCacheFolder))
  if (free < atMost + diskReserve) {
    host.log.warn(
      `The prompt cache is not saved: it may take ${readable(atMost)}, and ${paths.promptCacheFolder} has ${readable(free)} free.`,
    )
    return
  }
  const saved = await Promise.all(Array.from({ length: slots }, (_, slot) => save(host, slot)))
  const proven: PersistedSlot[] = []
  for (const [slot, found] of saved.entries())
    if (found !== undefined && found.tokens >= leastTokens) proven.push(await prove(host, slot, found))
    else host.files.remove(pathOf(slot))
  const index: PersistedPromptCache = { server: identity, slots: proven }
  writeState(host, stateFiles.promptCache, index)
  for (const { slot, tokens, size } of proven)
    host.log.info(`Slot ${slot}: ${tokens} tokens saved, ${readable(size)}`)
}

type SlotFile = { tokens: number; size: number }

async function act(host: Host, action: 'save' | 'restore', slot: number, timeout: number): Promise<string> {
  const { status, body } = await host.http({
    url: `http://localhost/slots/${slot}?action=${action}`,
    socket: host.files.at(paths.socket),
    json: { filename: fileOfSlot(slot) },
    timeout,
  })
  if (status !== 200) throw new Error(`llama-server answered ${status}: ${body.slice(0, 300)}`)
  return body
}

async function save(host: Host, slot: number): Promise<SlotFile | undefined> {
  try {
    const answer = JSON.parse(await act(host, 'save', slot, saveTimeout)) as Record<string, number>
    return { tokens: answer.n_saved ?? 0, size: answer.n_written ?? 0 }
  } catch (error) {
    host.log.warn(`Slot ${slot} could not be saved: ${(error as Error).message}`)
    return undefined
  }
}

/** Flushes a slot's file to disk, and checks that it has the size that llama-server reported. */
async function prove(host: Host, slot: number, { tokens, size }: SlotFile): Promise<PersistedSlot> {
  const path = host.files.at(pathOf(slot))
  const found = host.files.status(pathOf(slot))
  if (found?.size !== size || found.isLink)
    throw new Error(`${path} has ${found?.size} bytes, and llama-server wrote ${size}: the disk may be full.`)
  syncFile(path)
  return { slot, tokens, size, sha256: await sha256Of(path) }
}

/** The saved slots whose files verify; none if they do not fit the llama-server with this PID. */
export async function provenSlots(host: Host, pid: number): Promise<PersistedSlot[]> {
  const saved = readState(host, stateFiles.promptCache)
  if (saved === undefined) return []
  if (saved.server !== readServer(host, pid).identity) {
    host.log.info('The saved prompt cache is of another model, release or context size: it is discarded.')
    return []
  }
  const proven: PersistedSlot[] = []
  for (const slot of saved.slots)
    if (await isProven(host, slot)) proven.push(slot)
    else host.log.warn(`Slot ${slot.slot}: its file was changed since; its prompt is computed again.`)
  return proven
}

async function isProven(host: Host, { slot, size, sha256 }: PersistedSlot): Promise<boolean> {
  const status = host.files.status(pathOf(slot))
  if (status === undefined || status.isLink || status.size !== size) return false
  return (await sha256Of(host.files.at(pathOf(slot)))) === sha256
}

/** Makes llama-server load these slots, then removes the files. Prompts that were not restored are recomputed. */
export async function restorePromptCache(host: Host, slots: PersistedSlot[]): Promise<void> {
  host.files.remove(paths.promptCacheIndex)
  for (const { slot, tokens } of slots)
    try {
      await act(host, 'restore', slot, restoreTimeout)
      host.log.info(`Slot ${slot}: ${tokens} tokens restored`)
    } catch (error) {
      host.log.warn(
        `Slot ${slot} was not restored, its prompt is computed again: ${(error as Error).message}`,
      )
    }
  discardPromptCache(host)
}
