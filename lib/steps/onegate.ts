/** Publishes at OneGate what the appliance serves, and withdraws it. A failure is logged once, and fails nothing. */
import type { PublishedLoad } from '../appliance/fleet/load.ts'
import {
  type Attributes,
  accessOf,
  drainingPublication,
  loadPublication,
  type OneGateAccess,
  oneGateRequest,
  type Publication,
  publication,
  reportsReady,
  retryAfter,
  withdrawal,
} from '../appliance/onegate.ts'
import { paths } from '../appliance/paths.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { putForm } from '../system/put-form.ts'
import { readState, writeState } from '../system/state-files.ts'
import { uptime } from '../system/uptime.ts'

/** The context variables, with OneGate's token. */
type OneGateContext = Record<string, string>

/** Seconds for one update. A boot sends two, one in each stage: less than 10 s in all, even on a busy machine. */
const timeout = 3

const noAccess = 'this VM has no access to it (TOKEN=YES in its template provides it)'

export const readPublishedLoad = (host: Host): PublishedLoad | undefined =>
  readState(host, stateFiles.oneGateLoad)

export const readPublication = (host: Host): Publication | undefined => readState(host, stateFiles.oneGate)

/** Clears everything until bootstrap publishes again. */
export async function clear(host: Host, context: OneGateContext): Promise<void> {
  await host.perform('clear READY and what is published at OneGate', async () => {
    begin(host, undefined)
    if (accessOf(context) !== undefined) await withdraw(host, context)
  })
}

/** Publishes, and sets READY if the context asks for it. */
export async function publish(host: Host, context: OneGateContext, attributes: Attributes): Promise<void> {
  begin(host, attributes)
  record(host, 'all', await update(host, context, publication(attributes, reportsReady(context))))
}

/** Says that the VM is being drained, beside what describes it. */
export async function publishDraining(
  host: Host,
  context: OneGateContext,
  attributes: Attributes,
): Promise<void> {
  begin(host, attributes)
  record(host, 'draining', await update(host, context, drainingPublication(attributes)))
}

/** Publishes the load. If that fails, what OneGate shows is unknown, and all of it is published again. */
export async function publishLoad(host: Host, context: OneGateContext, load: PublishedLoad): Promise<void> {
  const { shown } = readPublication(host) ?? {}
  const problem = await update(host, context, loadPublication(load))
  if (problem === undefined) writeState(host, stateFiles.oneGateLoad, load)
  else record(host, shown, problem)
}

/** Clears everything until the appliance serves again. */
export const withdraw = async (host: Host, context: OneGateContext): Promise<void> =>
  record(host, 'nothing', await update(host, context, withdrawal()))

/** If the update is interrupted, what OneGate shows is unknown. */
function begin(host: Host, attributes: Attributes | undefined): void {
  const { problem, failures } = readPublication(host) ?? {}
  writeState(host, stateFiles.oneGate, { attributes, problem, failures })
  host.files.remove(paths.oneGateLoad)
}

async function update(host: Host, context: OneGateContext, text: string): Promise<string | undefined> {
  const access = accessOf(context)
  return access === undefined ? noAccess : send(host, access, text)
}

/** Sends an update as `onegate vm update` does; returns why OneGate has not accepted it. */
async function send(host: Host, access: OneGateAccess, text: string): Promise<string | undefined> {
  const { url: address, headers } = oneGateRequest(access, '/vm')
  const url = URL.parse(address)
  if (url === null) return 'ONEGATE_ENDPOINT is not a URL'
  const problem = await putForm(host, { url, headers, fields: { data: text, type: '1' }, timeout })
  return problem === undefined ? undefined : `${url.origin}: ${problem}`
}

/** Records what OneGate shows now. A problem is logged unless the last update had the same. */
function record(host: Host, shown: Publication['shown'], problem: string | undefined): void {
  const before = readPublication(host)
  const outcome = problem === undefined ? { shown } : { problem, ...nextAttempt(host, problem, before) }
  writeState(host, stateFiles.oneGate, { attributes: before?.attributes, ...outcome })
  if (problem === before?.problem) return
  if (problem === undefined) host.log.info('OneGate is updated again')
  else if (problem === noAccess) host.log.info(`OneGate is not used: ${noAccess}`)
  else host.log.warn(`OneGate was not updated: ${problem}. It may show an outdated state of this VM.`)
}

/** Without access there is nothing to try again until the context changes, which runs the stages. */
function nextAttempt(host: Host, problem: string, before: Publication | undefined) {
  if (problem === noAccess) return {}
  const failures = (before?.failures ?? 0) + 1
  return { failures, retryAt: uptime(host) + retryAfter(failures) }
}
