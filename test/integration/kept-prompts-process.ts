/** Keeps or restores prompts in a process of its own, which may be killed: ACTION ROOT PID. */
import { handOver, keepPrompts, provenPrompts } from '../../lib/steps/kept-prompts.ts'
import { openHost } from '../../lib/system/host.ts'

const [action, root = '', pid] = process.argv.slice(2)
const host = openHost({ env: {}, root })
if (action === 'keep') await keepPrompts(host, Number(pid))
else await handOver(host, await provenPrompts(host, Number(pid)))
