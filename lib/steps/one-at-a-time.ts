/** Stages, timers and fetches change the same files and services: one at a time. */
import { paths, units } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import { isLocked } from '../system/lock.ts'

/** Runs what changes files or services while nothing else of the appliance does. */
export const oneAtATime = <T>(host: Host, act: () => Promise<T>): Promise<T> =>
  host.withLock(
    paths.lock,
    () => host.log.info('Waiting for another stage, or a change of model, to finish'),
    act,
  )

/** Whether a stage, or the swap of a model, is at work. */
export const isStageAtWork = (host: Host): Promise<boolean> => isLocked(host, paths.lock)

/** Runs a fetch while no other does. */
export const oneFetch = <T>(host: Host, act: () => Promise<T>): Promise<T> =>
  host.withLock(
    paths.fetchLock,
    () => host.log.info(`Waiting: a fetch runs already. To end it: systemctl stop ${units.model}`),
    act,
  )
