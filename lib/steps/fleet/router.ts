/** HAProxy and its timer, which run on a router only. */
import { paths, units } from '../../appliance/paths.ts'
import type { Plan } from '../../appliance/plan.ts'
import { backendsWanted } from '../../render/units/backends.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { disableUnit, unitStatus } from '../../system/systemd.ts'

/** Whether the timer is started at boot. */
export const timerLink = ({ state }: Pick<Plan, 'state'>): ManagedFile =>
  state === 'routing' ? backendsWanted : { path: paths.backendsWanted, absent: true }

/** Whether configure has made this VM a router. Users who may not read the plan can see it, too. */
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

/** Looks for the copilots once, at once. A failure is in the log, and the timer tries again. */
export const lookForCopilots = (host: Host) => host.$`systemctl start ${units.backends}`.nothrow()

/** Seconds. */
const timeout = 5

/** Why a router does not pass requests on, as a sentence; undefined if it does. `hasCopilots`: one at least must be up. */
export async function routerProblem(host: Host, hasCopilots: boolean): Promise<string | undefined> {
  try {
    const socket = host.files.at(paths.admissionSocket)
    const { status } = await host.http({ url: 'http://localhost/health', socket, timeout })
    return status === 200 || !hasCopilots ? undefined : 'No copilot of the fleet is ready.'
  } catch (error) {
    return `${units.router} did not answer at ${paths.admissionSocket}: ${(error as Error).message}.`
  }
}
