/** `slm-copilot drain`, also run by a unit at shutdown: admits nothing new, and lets running generations end. */
import { setTimeout } from 'node:timers/promises'
import { defaultDrainLimit, drainState, longestDrain, stillRunning } from '../lib/appliance/services/drain.ts'
import { beginDraining, drainingSince, endDraining, runningRequests } from '../lib/steps/services/drain.ts'
import type { Host } from '../lib/system/host.ts'
import { isSystemStopping } from '../lib/system/systemd.ts'
import { updateReadiness } from './readiness.ts'

/** Milliseconds between two counts, and between two lines in the log. */
const countEvery = 500
const reportEvery = 10_000

/** Seconds, from the command line. */
export function limitFrom(text: string | undefined): number {
  if (text === undefined) return defaultDrainLimit
  if (/^[0-9]{1,4}$/.test(text) && Number(text) <= longestDrain) return Number(text)
  throw new Error(`--limit ${text}: takes a whole number of seconds, up to ${longestDrain}.`)
}

/** `limit`: seconds that running generations get. Returns whether they all ended by themselves. */
export async function drain(host: Host, limit: number): Promise<boolean> {
  beginDraining(host)
  host.log.info(`Draining: new requests are refused, running ones have ${limit} s`)
  await updateReadiness(host, 'draining')
  return untilDrained(host, limit)
}

/** Drains only if the whole system is stopping: the unit may also be stopped on its own. */
export async function drainAtShutdown(host: Host, limit: number): Promise<void> {
  if (await isSystemStopping(host)) await drain(host, limit)
}

/** New requests are admitted again. */
export async function undoDrain(host: Host): Promise<void> {
  if (drainingSince(host) === undefined) {
    host.log.info('This VM is not being drained: there is nothing to undo')
    return
  }
  endDraining(host)
  host.log.info('The drain has ended: new requests are admitted')
  await updateReadiness(host, 'running')
}

async function untilDrained(host: Host, limit: number): Promise<boolean> {
  const start = performance.now()
  const counts: (number | undefined)[] = []
  let reported = start
  for (;;) {
    counts.push(await runningRequests(host))
    const now = performance.now()
    const seconds = Math.round((now - start) / 1000)
    if (drainingSince(host) === undefined) {
      host.log.info('The drain was undone')
      return false
    }
    switch (drainState(counts, (now - start) / 1000, limit)) {
      case 'drained':
        host.log.info(`Drained after ${seconds} s: nothing is being answered`)
        return true
      case 'over':
        host.log.warn(`Not drained after ${limit} s: ${stillRunning(counts.at(-1))}`)
        return false
      case 'waiting':
        if (now - reported >= reportEvery) {
          reported = now
          host.log.info(`Draining: ${seconds} s so far, ${stillRunning(counts.at(-1))}`)
        }
        await setTimeout(countEvery)
    }
  }
}
