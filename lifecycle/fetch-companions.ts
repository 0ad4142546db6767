/** Run by a unit, while chat serves: downloads the models of the services beside it, and starts each once it is there. */
import { setTimeout } from 'node:timers/promises'
import { fetchLine, pauseAfter } from '../lib/appliance/models/fetching.ts'
import { pendingCompanions } from '../lib/appliance/plan.ts'
import type { Companion } from '../lib/appliance/sizing/companions.ts'
import { downloadCompanion } from '../lib/steps/models/companions.ts'
import { companionProgress } from '../lib/steps/models/fetch-progress.ts'
import { oneAtATime, oneFetch } from '../lib/steps/one-at-a-time.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { DigestError } from '../lib/system/download.ts'
import type { Host } from '../lib/system/host.ts'
import { inCurrentContext, runStages } from './current-context.ts'
import type { Pause } from './fetch-model.ts'

const pauseFor: Pause = seconds => setTimeout(seconds * 1000)

/** Downloads what the plan's services lack, and tries again until it succeeds; a wrong file it does not fetch twice. */
export const fetchCompanions = (host: Host, pause: Pause = pauseFor): Promise<void> =>
  oneFetch(host, 'companions', () => fetchUntilDone(host, pause))

async function fetchUntilDone(host: Host, pause: Pause): Promise<void> {
  const progress = companionProgress(host)
  const wrong = new Set<string>()
  try {
    for (let attempts = 1; ; attempts += 1) {
      const pending = pendingCompanions(readPlan(host)).filter(
        ({ capacity }) => !wrong.has(capacity.model.sha256),
      )
      if (pending.length === 0) return
      const problems = await fetchAll(host, pending, wrong, progress.show)
      if (problems.length === 0) continue
      const seconds = pauseAfter(attempts)
      const text = `${problems.join(' ')} Next attempt: in ${seconds} s.`
      host.log.warn(text)
      progress.show(text)
      await pause(seconds)
    }
  } finally {
    progress.hide()
  }
}

/** Tries each once. Returns what may be tried again; what is wrong for good is added to `wrong`. */
async function fetchAll(
  host: Host,
  pending: Companion[],
  wrong: Set<string>,
  show: (text: string) => void,
): Promise<string[]> {
  const problems: string[] = []
  for (const companion of pending) {
    const { name, sha256 } = companion.capacity.model
    try {
      await downloadCompanion(host, companion, progress => show(fetchLine(name, progress)))
    } catch (error) {
      const { message } = error as Error
      if (error instanceof DigestError && !error.wasResumed) {
        wrong.add(sha256)
        host.log.error(`${name} is not run: ${message}`)
      } else problems.push(`${name} is not downloaded yet: ${message}`)
      continue
    }
    problems.push(...(await startService(host, name)))
  }
  return problems
}

/** Returns why it is not started, if so. */
async function startService(host: Host, name: string): Promise<string[]> {
  host.log.info(`${name} is downloaded: its service is started.`)
  try {
    await oneAtATime(host, () => runStages(inCurrentContext(host)))
    return []
  } catch (error) {
    return [`${name} is downloaded, but its service is not started: ${(error as Error).message}`]
  }
}
