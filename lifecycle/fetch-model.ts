/** Run by a unit, while another model or none serves: downloads and verifies the pending model, then serves it. */
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PendingModel } from '../lib/appliance/models/choice.ts'
import { fetchLine, pauseAfter, verificationLine } from '../lib/appliance/models/fetching.ts'
import { paths } from '../lib/appliance/paths.ts'
import { pendingOf } from '../lib/appliance/plan.ts'
import { hideProgress, orderFetch, showProgress } from '../lib/steps/models/fetch-progress.ts'
import {
  modelState,
  outcomesAfter,
  readVerifications,
  recordEvent,
  removeOthers,
  retryFailed,
} from '../lib/steps/models/fetched-models.ts'
import { downloadModel } from '../lib/steps/models/model-file.ts'
import { releaseWithOwnModels, unreadModel } from '../lib/steps/models/own-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { oneAtATime, oneFetch } from '../lib/steps/one-at-a-time.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { drainingSince } from '../lib/steps/services/drain.ts'
import { recorded } from '../lib/steps/stage-runs.ts'
import { isFinal } from '../lib/system/download.ts'
import type { Host } from '../lib/system/host.ts'
import { bootstrap } from './bootstrap.ts'
import { configure } from './configure.ts'
import { inCurrentContext, runStages } from './current-context.ts'

/** Waits this many seconds. */
export type Pause = (seconds: number) => Promise<void>
export const pauseFor: Pause = seconds => setTimeout(seconds * 1000)

const pendingNow = (host: Host) => pendingOf(readPlan(host))

/**
 * Downloads and serves the plan's pending model. The download is retried until it succeeds, the verification
 * is not.
 */
export const fetchModel = (host: Host, pause: Pause = pauseFor): Promise<void> =>
  oneFetch(host, 'model', async () => {
    try {
      await resumeVerification(host)
      for (let attempts = 1; ; attempts += 1) {
        const unread = await readHeaderAgain(host)
        const pending = pendingNow(host)
        if (unread === undefined && pending === undefined) return
        const problem = unread ?? (pending && (await attempt(host, pending)))
        if (problem === undefined) return
        await pause(announceNext(host, pending?.model.name ?? 'The requested model', problem, attempts))
      }
    } finally {
      hideProgress(host, 'model')
    }
  })

/** If a verification was interrupted, the plan already serves the model: configures again, so that it is pending. */
async function resumeVerification(host: Host): Promise<void> {
  const plan = readPlan(host)
  if (plan.state !== 'serving' || plan.pending !== undefined) return
  const { model } = plan.capacity
  const { state } = modelState(host, readVerifications(host), model)
  if (state === 'verified' || model.name === installedRelease(host).model.name) return
  await oneAtATime(host, () => configure(inCurrentContext(host)))
}

/** Tries again to read the header of a model by URL, so that it can be planned. Returns why that failed. */
async function readHeaderAgain(host: Host): Promise<string | undefined> {
  if (unreadModel(host)?.isRetried !== true) return undefined
  await oneAtATime(host, () => runStages(inCurrentContext(host)))
  return unreadModel(host)?.problem
}

/** Makes failed models be tried again, and a pending one without waiting for its next attempt. */
export async function retryModel(host: Host): Promise<void> {
  await oneAtATime(host, async () => {
    const hasFailed = retryFailed(host, releaseWithOwnModels(host))
    if (!hasFailed && pendingNow(host) === undefined && unreadModel(host) === undefined)
      throw new Error('no model has failed and none is pending: there is nothing to retry.')
    await runStages(inCurrentContext(host))
  })
  await orderFetch(host, 'model', pendingNow(host) !== undefined || unreadModel(host)?.isRetried === true)
  host.log.info('Trying again. To see the progress: slm-copilot status')
}

/** Downloads, verifies and serves a model. Returns a problem that may be temporary, so that it is tried again. */
async function attempt(host: Host, pending: PendingModel): Promise<string | undefined> {
  const { model, circumstances } = pending
  recordEvent(host, model, { type: 'requested', circumstances })
  showProgress(host, 'model', `Downloading ${model.name}`)
  try {
    await downloadModel(host, pending, progress =>
      showProgress(host, 'model', fetchLine(model.name, progress)),
    )
  } catch (error) {
    const { message } = error as Error
    return isFinal(error) ? oneAtATime(host, () => giveUp(host, pending, message)) : message
  }
  showProgress(host, 'model', verificationLine(model.name))
  return oneAtATime(host, () => verify(host, pending))
}

/** Announces the next attempt, and returns the seconds until then. */
function announceNext(host: Host, name: string, problem: string, attempts: number): number {
  const seconds = pauseAfter(attempts)
  const at = new Date(host.now().getTime() + seconds * 1000).toISOString().slice(11, 19)
  const text = `${name} is not downloaded yet: ${problem} Next attempt: ${at} UTC.`
  host.log.warn(text)
  showProgress(host, 'model', text)
  return seconds
}

/** Whether a context change during the download has requested another model, or none; its bootstrap handled that. */
const isStale = (host: Host, pending: PendingModel) => !isDeepStrictEqual(pendingNow(host), pending)

/**
 * Serves the model instead of the current one, and goes back to that if the new one does not answer. Returns
 * why the current context cannot be configured, which is not the model's fault.
 */
async function verify(host: Host, pending: PendingModel): Promise<string | undefined> {
  if (isStale(host, pending)) return undefined
  // Its smoke test would fail, which would count against the model.
  if (drainingSince(host) !== undefined) return 'this VM is being drained.'
  const { model } = pending
  const current = inCurrentContext(host)
  host.log.info(`${model.name} is downloaded: verifying that it answers`)
  try {
    // Assumes that it answers, but records that only once it has.
    const outcomes = outcomesAfter(host, model, { type: 'answered' })
    await recorded(current, 'configure', () => configure(current, outcomes))
  } catch (error) {
    return (error as Error).message
  }
  try {
    await recorded(current, 'bootstrap', () => bootstrap(current, paths.report))
  } catch (error) {
    return giveUp(host, pending, (error as Error).message)
  }
  if (!isServed(host, pending)) return undefined
  recordEvent(host, model, { type: 'answered' })
  host.log.info(`${model.name} passed the smoke test, and is served from now on`)
  const release = releaseWithOwnModels(host)
  removeOthers(host, release, [release.model, model])
  return undefined
}

/** Whether the model is the one now being served: the context may just have changed. */
function isServed(host: Host, { model }: PendingModel): boolean {
  const plan = readPlan(host)
  return plan.state === 'serving' && plan.capacity.model.sha256 === model.sha256
}

/** Serves another model if one can be served; report, banner and log say why. */
async function giveUp(
  host: Host,
  { model, circumstances }: PendingModel,
  problem: string,
): Promise<undefined> {
  host.log.error(`${model.name} is not served: ${problem}`)
  recordEvent(host, model, { type: 'failed', circumstances, reason: firstSentence(problem) })
  await runStages(inCurrentContext(host))
}

/** The first line of a message, as a sentence; the log has the rest. */
const firstSentence = (message: string) => `${(message.split('\n')[0] ?? '').replace(/[:.]?$/, '')}.`
