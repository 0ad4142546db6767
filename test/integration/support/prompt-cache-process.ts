/** Saves or restores the prompt cache in a separate process, which tests can kill. Arguments: ACTION ROOT PID. */
import { provenSlots, restorePromptCache, savePromptCache } from '../../../lib/steps/llama/prompt-cache.ts'
import { openHost } from '../../../lib/system/host.ts'

const [action, root = '', pid] = process.argv.slice(2)
const host = openHost({ env: {}, root })
if (action === 'save') await savePromptCache(host, Number(pid))
else await restorePromptCache(host, await provenSlots(host, Number(pid)))
