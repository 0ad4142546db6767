/** Run by a timer on a router: looks up its copilots, and updates HAProxy, the list of models and the page. */
import { isDeepStrictEqual } from 'node:util'
import { variables } from '../lib/appliance/context/variables.ts'
import { type Copilot, type Fleet, partlyKnownText } from '../lib/appliance/fleet/fleet.ts'
import { paths } from '../lib/appliance/paths.ts'
import type { RoutingPlan } from '../lib/appliance/plan.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { serverName } from '../lib/render/fleet/commands.ts'
import { fleetModels } from '../lib/render/fleet/models.ts'
import { copilotsOfService, type Discovered, namedCopilots } from '../lib/steps/fleet/discovery.ts'
import { knownCopilots } from '../lib/steps/fleet/known.ts'
import { isRouter } from '../lib/steps/fleet/router.ts'
import { applyServers, readServers } from '../lib/steps/fleet/servers.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { readCa } from '../lib/steps/tls/certificates.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import { readState, writeState } from '../lib/system/state-files.ts'
import { readContext } from './environment.ts'

/**
 * Looks up the copilots, and makes HAProxy pass requests on to exactly these; those that could not be asked are
 * kept.
 */
export async function syncBackends(host: Host): Promise<void> {
  const plan = readPlan(host)
  if (plan.state !== 'routing') throw notRouter()
  const before = readState(host, stateFiles.fleet) ?? { copilots: [] }
  const fleet = await lookUp(host, plan, before)
  logChanges(host, before, fleet)
  if (!isDeepStrictEqual(fleet, before)) writeState(host, stateFiles.fleet, fleet)
  // An empty fleet with a problem, as after the state file was damaged, is not a reason to remove servers.
  const isKnown = fleet.copilots.length > 0 || fleet.problem === undefined
  if (isKnown) await applyServers(host, fleet.copilots)
  await applyFiles(host, [fleetModels(fleet.copilots), landingPageOf(host, plan, fleet.copilots)])
}

const landingPageOf = (host: Host, plan: RoutingPlan, copilots: Copilot[]) =>
  landingPageFor(plan, { inUse: readPairInUse(host), ca: { pair: readCa(host) } }, copilots)

/** The known copilots, each with the state and connections that HAProxy has for it. */
export async function fleetRows(host: Host) {
  const servers = new Map((await readServers(host)).map(server => [server.name, server]))
  return knownCopilots(host).map(copilot => {
    const { name, host: address, model, slots, version, since } = copilot
    const server = servers.get(serverName(copilot))
    const state = server?.state ?? 'unknown'
    return { name, address, model, slots, busy: server?.connections ?? null, state, version, since }
  })
}

const notRouter = () =>
  new Error(`This VM is not a router. To make it one: ${variables.role.name}=router in its context.`)

/** The list to print. */
export async function listBackends(host: Host): Promise<string> {
  if (!isRouter(host)) throw notRouter()
  const rows = await fleetRows(host)
  if (rows.length === 0) return 'No copilot is known.\n'
  return rows
    .map(
      ({ name, address, model, slots, busy, state }) =>
        `${name}  ${address}  ${model}  ${busy ?? '-'}/${slots}  ${state}\n`,
    )
    .join('')
}

async function lookUp(host: Host, plan: RoutingPlan, before: Fleet): Promise<Fleet> {
  try {
    const { copilots, problems } = await discover(host, plan)
    const known = new Map(before.copilots.map(copilot => [copilot.name, copilot]))
    // One that does not answer now may be busy: HAProxy's health checks decide whether it gets requests.
    const silent = before.copilots.filter(({ name }) => problems.has(name))
    const found = copilots.map(copilot => ({
      ...copilot,
      since: known.get(copilot.name)?.since ?? copilot.since,
    }))
    const problem = [...problems].map(([name, text]) => `${name}: ${text}`).join('; ')
    return { copilots: [...found, ...silent], ...(problem !== '' && { problem }) }
  } catch (error) {
    return { copilots: before.copilots, problem: (error as Error).message }
  }
}

const discover = (host: Host, { backends }: RoutingPlan): Promise<Discovered> =>
  backends.length > 0
    ? namedCopilots(host, backends, host.files.read(paths.fleetKey)?.trim() ?? '')
    : copilotsOfService(host, readContext(host))

/** As warnings: the unit's journal has no lesser lines. */
function logChanges(host: Host, before: Fleet, { copilots, problem }: Fleet): void {
  const has = (fleet: Copilot[], { name }: Copilot) => fleet.some(other => other.name === name)
  for (const copilot of copilots)
    if (!has(before.copilots, copilot))
      host.log.warn(
        `${copilot.name} joins the fleet: ${copilot.model}, ${copilot.slots} slots, at ${copilot.host}.`,
      )
  for (const copilot of before.copilots)
    if (!has(copilots, copilot)) host.log.warn(`${copilot.name} leaves the fleet: it gets no new requests.`)
  if (problem === before.problem) return
  if (problem === undefined) host.log.info('All copilots of the fleet are known again.')
  else host.log.warn(partlyKnownText(problem))
}
