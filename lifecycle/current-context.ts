/** Runs the stages with the VM's current context, whatever the process was started with. */
import { paths } from '../lib/appliance/paths.ts'
import { recorded } from '../lib/steps/stage-runs.ts'
import type { Host } from '../lib/system/host.ts'
import { bootstrap, fetchPending } from './bootstrap.ts'
import { configure } from './configure.ts'
import { parseEnvironment } from './environment.ts'

/** A host whose environment is the current context. */
export function inCurrentContext(host: Host): Host {
  const text = host.files.read(paths.contextFile)
  if (text !== undefined) return { ...host, env: parseEnvironment(text) }
  throw new Error(`${paths.contextFile}, which holds the context variables, is missing.`)
}

/** Runs both stages. */
export async function runStages(host: Host): Promise<void> {
  await recorded(host, 'configure', () => configure(host))
  await recorded(host, 'bootstrap', () => bootstrap(host, paths.report))
}

/** Runs both stages after a change that the framework does not see: another address, a disk attached or detached. */
export async function reconfigure(host: Host): Promise<void> {
  await runStages(host)
  await fetchPending(host)
}
