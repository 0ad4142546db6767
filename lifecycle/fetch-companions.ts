/** Run by a unit, while chat serves: downloads the models of the services beside it, and starts them. */
import { fetchLine, pauseAfter } from '../lib/appliance/models/fetching.ts'
import { pendingCompanions } from '../lib/appliance/plan.ts'
import type { Companion } from '../lib/appliance/sizing/companions.ts'
import { hideProgress, showProgress } from '../lib/steps/models/fetch-progress.ts'
import { downloadModel } from '../lib/steps/models/model-file.ts'
import { oneAtATime, oneFetch } from '../lib/steps/one-at-a-time.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { isFinal } from '../lib/system/download.ts'
import type { Host } from '../lib/system/host.ts'
import { inCurrentContext, runStages } from './current-context.ts'
import { type Pause, pauseFor } from './fetch-model.ts'

/**
 * Downloads what the plan's services lack, retrying until it succeeds, unless the file turns out to be the wrong
 * one.
 */
export const fetchCompanions = (host: Host, pause: Pause = pauseFor): Promise<void> =>
  oneFetch(host, 'companions', () => fetchUntilDone(host, pause))

async function fetchUntilDone(host: Host, pause: Pause): Promise<void> {
  const show = (text: string) => showProgress(host, 'companions', text)
  const wrong = new Set<string>()
  try {
    for (let attempts = 1; ; attempts += 1) {
      const pending = pendingCompanions(readPlan(host)).filter(
        ({ capacity }) => !wrong.has(capacity.model.sha256),
      )
      if (pending.length === 0) return
      const problems = await fetchAll(host, pending, wrong, show)
      if (problems.length === 0) continue
      const seconds = pauseAfter(attempts)
      const text = `${problems.join(' ')} Next attempt: in ${seconds} s.`
      host.log.warn(text)
      show(text)
      await pause(seconds)
    }
  } finally {
    hideProgress(host, 'companions')
  }
}

/** Tries each once. Returns problems that may go away; adds the digests of files that are wrong for good to `wrong`. */
async function fetchAll(
  host: Host,
  pending: Companion[],
  wrong: Set<string>,
  show: (text: string) => void,
): Promise<string[]> {
  const problems: string[] = []
  for (const { capacity, url } of pending) {
    const { model } = capacity
    const { name, sha256 } = model
    try {
      await downloadModel(host, { model, url }, progress => show(fetchLine(name, progress)))
    } catch (error) {
      const { message } = error as Error
      if (isFinal(error)) {
        wrong.add(sha256)
        host.log.error(`${name} is not run: ${message}`)
      } else problems.push(`${name} is not downloaded yet: ${message}`)
      continue
    }
    problems.push(...(await startService(host, name)))
  }
  return problems
}

/** Returns why it could not be started, if so. */
async function startService(host: Host, name: string): Promise<string[]> {
  host.log.info(`${name} is downloaded: its service is started.`)
  try {
    await oneAtATime(host, () => runStages(inCurrentContext(host)))
    return []
  } catch (error) {
    return [`${name} is downloaded, but its service is not started: ${(error as Error).message}`]
  }
}
