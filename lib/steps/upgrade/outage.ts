/** Measures for how long clients were not served while something was done. */
import { setTimeout } from 'node:timers/promises'
import { ports } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'
import type { ServerTrust } from '../../system/http.ts'

/** Milliseconds between two requests. */
const interval = 250

/** Seconds without service during the action, to a quarter of a second. `trust`: read anew for each request. */
export async function outageDuring(
  host: Host,
  trust: () => Promise<ServerTrust>,
  act: () => Promise<void>,
): Promise<number> {
  const state = { isDone: false }
  const watching = watchHealth(host, trust, state)
  try {
    await act()
  } finally {
    state.isDone = true
  }
  return watching
}

async function watchHealth(
  host: Host,
  trust: () => Promise<ServerTrust>,
  state: { isDone: boolean },
): Promise<number> {
  let lost = 0
  let before = performance.now()
  while (!state.isDone) {
    await setTimeout(interval)
    const serves = await isServing(host, trust)
    const now = performance.now()
    if (!serves) lost += now - before
    before = now
  }
  return Math.round(lost / 100) / 10
}

async function isServing(host: Host, trust: () => Promise<ServerTrust>): Promise<boolean> {
  try {
    const url = `https://127.0.0.1:${ports.https}/health`
    return (await host.http({ ...(await trust()), url, timeout: 5 })).status === 200
  } catch {
    // Refused, reset or silent: that is what is being measured.
    return false
  }
}
