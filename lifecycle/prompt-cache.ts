/** Before llama-server stops and after it has started: its prompts, so that none is computed again. */
import { units } from '../lib/appliance/paths.ts'
import { waitForModel } from '../lib/steps/llama/model-loading.ts'
import { forgetPrompts, provenPrompts, restorePrompts, savePrompts } from '../lib/steps/llama/prompt-cache.ts'
import { readPlan } from '../lib/steps/plan.ts'
import type { Host } from '../lib/system/host.ts'
import { unitStatus } from '../lib/system/systemd.ts'

/** Writes the running llama-server's prompts to files. One that has ended by itself has none to give. */
export async function save(host: Host): Promise<void> {
  const { mainPid } = await unitStatus(host, units.llama)
  if (mainPid !== 0) await savePrompts(host, mainPid)
}

/** Gives the saved prompts to the llama-server that has started, once it can take them. */
export async function restore(host: Host): Promise<void> {
  const { mainPid, invocation } = await unitStatus(host, units.llama)
  const prompts = await provenPrompts(host, mainPid)
  const plan = readPlan(host)
  if (prompts.length === 0 || plan.state !== 'serving') return forgetPrompts(host)

  await waitForModel(host, invocation, plan.capacity.model.size)
  await restorePrompts(host, prompts)
}
