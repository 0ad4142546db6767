/** By a unit, while another model serves, or none: the pending model is downloaded, verified, and served from then on. */
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PendingModel } from '../lib/appliance/models/choice.ts'
import { fetchLine, pauseAfter, verificationLine } from '../lib/appliance/models/fetching.ts'
import { paths } from '../lib/appliance/paths.ts'
import { pendingOf } from '../lib/appliance/plan.ts'
import { hideProgress, orderFetch, showProgress } from '../lib/steps/models/fetch-progress.ts'
import {
  downloadModel,
  modelState,
  outcomesAfter,
  readVerifications,
  recordEvent,
  removeOthers,
  retryFailed,
} from '../lib/steps/models/fetched-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { oneAtATime, oneFetch } from '../lib/steps/one-at-a-time.ts'
import { readPlan } from '../lib/steps/plan.ts'
import { DigestError } from '../lib/system/download.ts'
import type { Host } from '../lib/system/host.ts'
import { bootstrap } from './bootstrap.ts'
import { configure } from './configure.ts'
import { parseEnvironment } from './environment.ts'

/** Waits this many seconds. */
export type Pause = (seconds: number) => Promise<void>
const pauseFor: Pause = seconds => setTimeout(seconds * 1000)

const pendingNow = (host: Host) => pendingOf(readPlan(host))

/** Downloads and serves the plan's pending model, as often as it takes to come; whether it answers is verified once. */
export const fetchModel = (host: Host, pause: Pause = pauseFor): Promise<void> =>
  oneFetch(host, async () => {
    try {
      await resumeVerification(host)
      for (let attempts = 1; ; attempts += 1) {
        const pending = pendingNow(host)
        if (pending === undefined) return
        const problem = await attempt(host, pending)
        if (problem === undefined) return
        await pause(announceNext(host, pending, problem, attempts))
      }
    } finally {
      hideProgress(host)
    }
  })

/** A verification that was cut off leaves a plan which serves the model already: it is made anew. */
async function resumeVerification(host: Host): Promise<void> {
  const plan = readPlan(host)
  if (plan.state !== 'serving' || plan.pending !== undefined) return
  const { model } = plan.capacity
  const { state } = modelState(host, readVerifications(host), model)
  if (state === 'verified' || model.name === installedRelease(host).model.name) return
  await oneAtATime(host, () => configure(inPresentContext(host)))
}

/** Has failed models tried again, and a pending one without waiting for its next attempt. */
export async function retryModel(host: Host): Promise<void> {
  await oneAtATime(host, async () => {
    if (!retryFailed(host, installedRelease(host)) && pendingNow(host) === undefined)
      throw new Error('no model has failed and none is pending: there is nothing to retry.')
    await serve(inPresentContext(host))
  })
  await orderFetch(host, pendingNow(host) !== undefined)
  host.log.info('It is tried again. To see its progress: slm-copilot status')
}

/** Downloads, verifies and serves a model. Returns an obstacle that may pass. */
async function attempt(host: Host, pending: PendingModel): Promise<string | undefined> {
  const { model, circumstances } = pending
  recordEvent(host, model, { type: 'requested', circumstances })
  showProgress(host, `Downloading ${model.name}`)
  try {
    await downloadModel(host, pending, progress => showProgress(host, fetchLine(model.name, progress)))
  } catch (error) {
    const { message } = error as Error
    // Whole, from one attempt, and wrong: gigabytes would come for nothing again.
    const isFinal = error instanceof DigestError && !error.wasResumed
    return isFinal ? oneAtATime(host, () => giveUp(host, pending, message)) : message
  }
  showProgress(host, verificationLine(model.name))
  return oneAtATime(host, () => verify(host, pending))
}

/** Says when the next attempt is, and returns the seconds until then. */
function announceNext(host: Host, { model }: PendingModel, problem: string, attempts: number): number {
  const seconds = pauseAfter(attempts)
  const at = new Date(host.now().getTime() + seconds * 1000).toISOString().slice(11, 19)
  const text = `${model.name} is not downloaded yet: ${problem} Next attempt: ${at} UTC.`
  host.log.warn(text)
  showProgress(host, text)
  return seconds
}

/** A context that came during the download may request another model, or none: its bootstrap has seen to that. */
const isStale = (host: Host, pending: PendingModel) => !isDeepStrictEqual(pendingNow(host), pending)

/**
 * Serves the model in place of the one that does; that one again where it does not answer. Returns why the present context
 * cannot be served: that says nothing of the model.
 */
async function verify(host: Host, pending: PendingModel): Promise<string | undefined> {
  if (isStale(host, pending)) return undefined
  const { model } = pending
  const present = inPresentContext(host)
  host.log.info(`${model.name} is downloaded: verifying that it answers`)
  try {
    // As if it had: nothing remembers that before it is so.
    await configure(present, outcomesAfter(host, model, { type: 'answered' }))
  } catch (error) {
    return (error as Error).message
  }
  try {
    await bootstrap(present, paths.report)
  } catch (error) {
    return giveUp(host, pending, (error as Error).message)
  }
  if (!isServed(host, pending)) return undefined
  recordEvent(host, model, { type: 'answered' })
  host.log.info(`${model.name} passed the smoke test, and is served from now on`)
  const release = installedRelease(host)
  removeOthers(host, release, [release.model, model])
  return undefined
}

/** It is what has just been served: a context that came a moment ago may request another. */
function isServed(host: Host, { model }: PendingModel): boolean {
  const plan = readPlan(host)
  return plan.state === 'serving' && plan.capacity.model.sha256 === model.sha256
}

/** Serves what can serve without it, if anything, and has report, banner and log say why. */
async function giveUp(
  host: Host,
  { model, circumstances }: PendingModel,
  problem: string,
): Promise<undefined> {
  host.log.error(`${model.name} is not served: ${problem}`)
  recordEvent(host, model, { type: 'failed', circumstances, reason: firstSentence(problem) })
  await serve(inPresentContext(host))
}

/** The first line of a message; the log has the others. */
const firstSentence = (message: string) => `${(message.split('\n')[0] ?? '').replace(/[:.]?$/, '')}.`

/** A host whose environment is the context in force: this process may have been started with another. */
function inPresentContext(host: Host): Host {
  const text = host.files.read(paths.contextFile)
  if (text !== undefined) return { ...host, env: parseEnvironment(text) }
  throw new Error(`${paths.contextFile}, which holds the context variables, is missing.`)
}

/** Both stages. */
async function serve(host: Host): Promise<void> {
  await configure(host)
  await bootstrap(host, paths.report)
}
