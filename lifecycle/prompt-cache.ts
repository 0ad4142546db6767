/** Persists the prompt cache: saved before llama-server stops, restored after it has started. */
import { units } from '../lib/appliance/paths.ts'
import { waitForModel } from '../lib/steps/llama/model-loading.ts'
import {
  discardPromptCache,
  provenSlots,
  restorePromptCache,
  savePromptCache,
} from '../lib/steps/llama/prompt-cache.ts'
import { readPlan } from '../lib/steps/plan.ts'
import type { Host } from '../lib/system/host.ts'
import { unitStatus } from '../lib/system/systemd.ts'

/** Saves the running llama-server's slots; if it has crashed, there are none left. */
export async function save(host: Host): Promise<void> {
  const { mainPid } = await unitStatus(host, units.llama)
  if (mainPid !== 0) await savePromptCache(host, mainPid)
}

/** Restores the saved slots once llama-server has loaded its model. */
export async function restore(host: Host): Promise<void> {
  const { mainPid, invocation } = await unitStatus(host, units.llama)
  const slots = await provenSlots(host, mainPid)
  const plan = readPlan(host)
  if (slots.length === 0 || plan.state !== 'serving') return discardPromptCache(host)

  await waitForModel(host, invocation, plan.capacity.model.size)
  await restorePromptCache(host, slots)
}
