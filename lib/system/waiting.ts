/** Waiting for something with progress. */
import { setTimeout as sleep } from 'node:timers/promises'

const pollEvery = 250
const firstTold = 2_000
const tellEvery = 10_000

/** Tells after two seconds, and every ten from then on, until what it returns is called. */
export function whileWaiting(tell: () => void): () => void {
  let timer = setTimeout(function again() {
    tell()
    timer = setTimeout(again, tellEvery)
  }, firstTold)
  return () => clearTimeout(timer)
}

/**
 * Asks until `look` answers something other than undefined, and tells every 10 seconds how long it has been.
 * Throws when `look` throws, and when `what` takes longer than `atMost` seconds.
 */
export async function waitFor<T>(
  look: () => Promise<T | undefined>,
  tell: (seconds: number) => void,
  atMost: number,
  what: string,
): Promise<T> {
  const start = Date.now()
  let told = start
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() - start > atMost * 1000)
      throw new Error(`${what} took longer than ${Math.round(atMost / 60)} minutes`)
    await sleep(pollEvery)
    if (Date.now() - told < tellEvery) continue
    told = Date.now()
    tell(Math.round((told - start) / 1000))
  }
}
