/** HAProxy, and the timer that looks up the copilots: both run on a router only. */
import { partlyKnownText } from '../../appliance/fleet/fleet.ts'
import { healthUrl, paths, units } from '../../appliance/paths.ts'
import type { Plan } from '../../appliance/plan.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { backendsWanted } from '../../render/units/backends.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { readState } from '../../system/state-files.ts'
import { disableUnit, unitStatus } from '../../system/systemd.ts'

/** Whether the timer is started at boot. */
export const timerLink = ({ state }: Pick<Plan, 'state'>): ManagedFile =>
  state === 'routing' ? backendsWanted : { path: paths.backendsWanted, absent: true }

/** Whether configure has made this VM a router: by a link, since not every user may read the plan. */
export const isRouter = (host: Host): boolean => host.files.status(paths.backendsWanted) !== undefined

/** Starts the timer, or stops it and HAProxy. */
export async function applyTimer(host: Host, { state }: Pick<Plan, 'state'>): Promise<void> {
  const { isActive } = await unitStatus(host, units.backendsTimer)
  if (state === 'routing') {
    if (!isActive) await host.$`systemctl start ${units.backendsTimer}`
    return
  }
  if (isActive) await host.$`systemctl stop ${units.backendsTimer}`
  await disableUnit(host, units.router)
}

/** Throws if HAProxy rejects its configuration. */
export const checkRouterConfiguration = (host: Host) => host.$`haproxy -c -q -f ${paths.routerConfiguration}`

/** Looks up the copilots now, without waiting for the timer, which tries again. Returns a note on what is not known. */
export async function lookUpCopilots(host: Host): Promise<string[]> {
  const { exitCode } = await host.$`systemctl start ${units.backends}`.nothrow()
  if (exitCode !== 0)
    return [
      `The copilots of the fleet could not be looked up. For the reason: journalctl -u ${units.backends}`,
    ]
  const { problem } = readState(host, stateFiles.fleet) ?? {}
  return problem === undefined ? [] : [partlyKnownText(problem)]
}

/** Seconds. */
const timeout = 5

/** HAProxy's status for `/health`, which is 200 if a copilot is ready; or why it did not answer, a sentence. */
async function askRouter(host: Host): Promise<{ status?: number; problem?: string }> {
  try {
    const { status } = await host.http({
      url: healthUrl,
      socket: host.files.at(paths.admissionSocket),
      timeout,
    })
    return { status }
  } catch (error) {
    const { message } = error as Error
    return { problem: `${units.router} did not answer at ${paths.admissionSocket}: ${message}.` }
  }
}

/** Why HAProxy does not answer, a sentence; undefined if it does, whether or not a copilot is ready. */
export const routerProblem = async (host: Host): Promise<string | undefined> =>
  (await askRouter(host)).problem

/** Why no request can be passed on, a sentence; undefined if one can. */
export async function fleetProblem(host: Host): Promise<string | undefined> {
  const { status, problem } = await askRouter(host)
  return status === 200 ? undefined : (problem ?? 'No copilot of the fleet is ready.')
}
