/**
 * Llama-server's prompts over a stop: its slots written to files, proven, and read again by the next one.
 *
 * llama-server ends when a slot's file is shorter than it says (v0.5.0, state_seq_load_file's GGML_ASSERT). So only what
 * is proven by size and digest is handed over, and it is forgotten before that: what should end a server ends one only.
 *
 * A file holds the KV cache of one slot, not what is set aside in RAM, nor checkpoints: a model with a sliding window
 * (gpt-oss) has none to go back to, and computes the prompt again (server-context.cpp, pos_min_thold).
 */
import { fileOfSlot, identityOf, type Kept, type KeptPrompt } from '../appliance/kept-prompts.ts'
import { paths } from '../appliance/paths.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { freeBytes, sha256Of, syncFile } from '../system/large-files.ts'
import { environmentOf, programOf, residentSetOf } from '../system/processes.ts'
import { readState, writeState } from '../system/state-files.ts'

/** Seconds that all slots may take: one that is busy is written when its answer ends. */
const saveTimeout = 60
/** Seconds that one slot's file may take to be read: 5 GB at 100 MB/s. */
const restoreTimeout = 60
/** Computed within seconds: not worth its file. */
const leastTokens = 500
/** Bytes of the disk that are left to others. */
const reserve = 2 ** 30

const pathOf = (slot: number) => `${paths.promptFiles}/${fileOfSlot(slot)}`

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

/** Removes what was kept: first what proves it. */
export function forgetPrompts(host: Host): void {
  host.files.remove(paths.keptPrompts)
  for (const name of host.files.list(paths.promptFiles)) host.files.remove(`${paths.promptFiles}/${name}`)
}

/** Has the llama-server of this process write its slots, in time and where the disk has room. What it can't is told. */
export async function keepPrompts(host: Host, pid: number): Promise<void> {
  forgetPrompts(host)
  const { slots, identity } = readServer(host, pid)
  // The files together are no larger than the KV cache, which is a part of this.
  const atMost = residentSetOf(host, pid)?.anonymous ?? 0
  const free = freeBytes(host.files.at(paths.promptFiles))
  if (free < atMost + reserve) {
    host.log.warn(`Prompts are not kept: they could take ${atMost} bytes, and the disk has ${free} left.`)
    return
  }
  const saved = await Promise.all(Array.from({ length: slots }, (_, slot) => save(host, slot)))
  const prompts: KeptPrompt[] = []
  for (const [slot, found] of saved.entries())
    if (found !== undefined && found.tokens >= leastTokens) prompts.push(await prove(host, slot, found))
    else host.files.remove(pathOf(slot))
  const kept: Kept = { server: identity, prompts }
  writeState(host, stateFiles.keptPrompts, kept)
  for (const { slot, tokens, size } of prompts)
    host.log.info(`Slot ${slot}: ${tokens} tokens kept, ${size} bytes`)
}

type Saved = { tokens: number; size: number }

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

async function save(host: Host, slot: number): Promise<Saved | undefined> {
  try {
    const answer = JSON.parse(await act(host, 'save', slot, saveTimeout)) as Record<string, number>
    return { tokens: answer.n_saved ?? 0, size: answer.n_written ?? 0 }
  } catch (error) {
    host.log.warn(`Slot ${slot} is not kept: ${(error as Error).message}`)
    return undefined
  }
}

/** On disk, and of the size that was said. */
async function prove(host: Host, slot: number, { tokens, size }: Saved): Promise<KeptPrompt> {
  const path = host.files.at(pathOf(slot))
  const found = host.files.status(pathOf(slot))
  if (found?.size !== size || found.isLink)
    throw new Error(`${path} has ${found?.size} bytes instead of ${size}: the disk may be full.`)
  syncFile(path)
  return { slot, tokens, size, sha256: await sha256Of(path) }
}

/** What was kept, as far as it is proven, and this process's llama-server would have written the same. */
export async function provenPrompts(host: Host, pid: number): Promise<KeptPrompt[]> {
  const kept = readState(host, stateFiles.keptPrompts)
  if (kept === undefined) return []
  if (kept.server !== readServer(host, pid).identity) {
    host.log.info('The prompts that were kept are those of another model, release or context size.')
    return []
  }
  const proven: KeptPrompt[] = []
  for (const prompt of kept.prompts)
    if (await isProven(host, prompt)) proven.push(prompt)
    else host.log.warn(`Slot ${prompt.slot}: its file is not what was written; its prompt is computed again.`)
  return proven
}

async function isProven(host: Host, { slot, size, sha256 }: KeptPrompt): Promise<boolean> {
  const status = host.files.status(pathOf(slot))
  if (status === undefined || status.isLink || status.size !== size) return false
  return (await sha256Of(host.files.at(pathOf(slot)))) === sha256
}

/** Has llama-server read them, and removes them: from here on it has them, or computes them anew. */
export async function handOver(host: Host, prompts: KeptPrompt[]): Promise<void> {
  host.files.remove(paths.keptPrompts)
  for (const { slot, tokens } of prompts)
    try {
      await act(host, 'restore', slot, restoreTimeout)
      host.log.info(`Slot ${slot}: ${tokens} tokens are there again`)
    } catch (error) {
      host.log.warn(`Slot ${slot} is computed again: ${(error as Error).message}`)
    }
  forgetPrompts(host)
}
