/** Locks that keep stages, timers and fetches, which change the same files and services, from running concurrently. */
import { paths, units } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import { isLocked } from '../system/lock.ts'

/** Runs an action that changes files or services while no other does. */
export const oneAtATime = <T>(host: Host, act: () => Promise<T>): Promise<T> =>
  host.withLock(
    paths.lock,
    () => host.log.info('Waiting for another stage, or a change of model, to finish'),
    act,
  )

/** Whether a stage, or a change of model, is running. */
export const isStageAtWork = (host: Host): Promise<boolean> => isLocked(host, paths.lock)

/** The fetches, each of which writes files of its own. */
const fetches = {
  model: { lock: paths.fetchLock, stop: `systemctl stop ${units.model}` },
  companions: { lock: paths.companionFetchLock, stop: `systemctl stop ${units.companions}` },
} as const

/** Runs a fetch while no other of its kind is running. */
export const oneFetch = <T>(host: Host, kind: keyof typeof fetches, act: () => Promise<T>): Promise<T> =>
  host.withLock(
    fetches[kind].lock,
    () => host.log.info(`Waiting for another download to finish. To stop that: ${fetches[kind].stop}`),
    act,
  )
