/**
 * Llama-server's prompts over a stop: its slots written to files, proven, and read again by the next one.
 *
 * llama-server ends when a slot's file is shorter than it says (v0.5.0, state_seq_load_file's GGML_ASSERT). So only what
 * is proven by size and digest is handed over, and it is forgotten before that: what should end a server ends one only.
 *
 * A file holds the KV cache of one slot, not what is set aside in RAM, nor checkpoints: a model with a sliding window
 * (gpt-oss) has none to go back to, and computes the prompt again (server-context.cpp, pos_min_thold).
 */
import {
  fileOfSlot,
  identityOf,
  type SavedPrompt,
  type SavedPrompts,
} from '../../appliance/llama/prompt-cache.ts'
import { paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { freeBytes, sha256Of, syncFile } from '../../system/large-files.ts'
import { environmentOf, programOf, residentSetOf } from '../../system/processes.ts'
import { readState, writeState } from '../../system/state-files.ts'

/** Seconds that all slots may take: one that is busy is written when its answer ends. */
const saveTimeout = 60
/** Seconds that one slot's file may take to be read: 5 GB at 100 MB/s. */
const restoreTimeout = 60
/** Computed within seconds: not worth its file. */
const leastTokens = 500
/** Bytes of the disk that are left to others. */
const reserve = 2 ** 30

const pathOf = (slot: number) => `${paths.promptCacheFolder}/${fileOfSlot(slot)}`

function readServer(host: Host, pid: number) {
  const environment = environmentOf(host, pid)
  const weights = host.files.status(environment.LLAMA_ARG_MODEL ?? '')
  if (weights === undefined) throw new Error(`process ${pid} serves no model that is there`)
  const { size, changedAt } = weights
  const slots = Number(environment.LLAMA_ARG_N_PARALLEL)
  return {
    slots,
    identity: identityOf({ program: programOf(host, pid), environment, weights: { size, changedAt } }),
  }
}

/** Removes what was saved: first what proves it. */
export function forgetPrompts(host: Host): void {
  host.files.remove(paths.savedPrompts)
  for (const name of host.files.list(paths.promptCacheFolder))
    host.files.remove(`${paths.promptCacheFolder}/${name}`)
}

/** Has the llama-server of this process write its slots, in time and where the disk has room. What it can't is told. */
export async function savePrompts(host: Host, pid: number): Promise<void> {
  forgetPrompts(host)
  const { slots, identity } = readServer(host, pid)
  // The files together are no larger than the KV cache, which is a part of this.
  const atMost = residentSetOf(host, pid)?.anonymous ?? 0
  const free = freeBytes(host.files.at(paths.promptCacheFolder))
  if (free < atMost + reserve) {
    host.log.warn(`Prompts are not saved: they could take ${atMost} bytes, and the disk has ${free} left.`)
    return
  }
  const slotFiles = await Promise.all(Array.from({ length: slots }, (_, slot) => save(host, slot)))
  const prompts: SavedPrompt[] = []
  for (const [slot, found] of slotFiles.entries())
    if (found !== undefined && found.tokens >= leastTokens) prompts.push(await prove(host, slot, found))
    else host.files.remove(pathOf(slot))
  const saved: SavedPrompts = { server: identity, prompts }
  writeState(host, stateFiles.savedPrompts, saved)
  for (const { slot, tokens, size } of prompts)
    host.log.info(`Slot ${slot}: ${tokens} tokens saved, ${size} bytes`)
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
    host.log.warn(`Slot ${slot} is not saved: ${(error as Error).message}`)
    return undefined
  }
}

/** On disk, and of the size that was said. */
async function prove(host: Host, slot: number, { tokens, size }: SlotFile): Promise<SavedPrompt> {
  const path = host.files.at(pathOf(slot))
  const found = host.files.status(pathOf(slot))
  if (found?.size !== size || found.isLink)
    throw new Error(`${path} has ${found?.size} bytes instead of ${size}: the disk may be full.`)
  syncFile(path)
  return { slot, tokens, size, sha256: await sha256Of(path) }
}

/** What was saved, as far as it is proven, and this process's llama-server would have written the same. */
export async function provenPrompts(host: Host, pid: number): Promise<SavedPrompt[]> {
  const saved = readState(host, stateFiles.savedPrompts)
  if (saved === undefined) return []
  if (saved.server !== readServer(host, pid).identity) {
    host.log.info('The saved prompts are those of another model, release or context size.')
    return []
  }
  const proven: SavedPrompt[] = []
  for (const prompt of saved.prompts)
    if (await isProven(host, prompt)) proven.push(prompt)
    else host.log.warn(`Slot ${prompt.slot}: its file is not what was written; its prompt is computed again.`)
  return proven
}

async function isProven(host: Host, { slot, size, sha256 }: SavedPrompt): Promise<boolean> {
  const status = host.files.status(pathOf(slot))
  if (status === undefined || status.isLink || status.size !== size) return false
  return (await sha256Of(host.files.at(pathOf(slot)))) === sha256
}

/** Has llama-server read them, and removes them: from here on it has them, or computes them anew. */
export async function restorePrompts(host: Host, prompts: SavedPrompt[]): Promise<void> {
  host.files.remove(paths.savedPrompts)
  for (const { slot, tokens } of prompts)
    try {
      await act(host, 'restore', slot, restoreTimeout)
      host.log.info(`Slot ${slot}: ${tokens} tokens are there again`)
    } catch (error) {
      host.log.warn(`Slot ${slot} is computed again: ${(error as Error).message}`)
    }
  forgetPrompts(host)
}
