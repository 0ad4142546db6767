/** By a unit, while another model serves, or none: the pending model is fetched, tried, and served from then on. */
import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { PendingModel } from '../lib/appliance/models/choice.ts'
import { fetchLine, pauseAfter } from '../lib/appliance/models/fetching.ts'
import { paths } from '../lib/appliance/paths.ts'
import { pendingOf } from '../lib/appliance/plan.ts'
import { hideProgress, orderFetch, showProgress } from '../lib/steps/models/fetch-progress.ts'
import {
  fetchWeights,
  forgetFailures,
  readTrials,
  recordTrial,
  removeOthers,
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

/** Fetches and serves the plan's pending model, as often as it takes to come; a model that does not serve is tried once. */
export const fetchModel = (host: Host, pause: Pause = pauseFor): Promise<void> =>
  oneFetch(host, async () => {
    try {
      await takeUp(host)
      for (let attempts = 1; ; attempts += 1) {
        const pending = pendingNow(host)
        if (pending === undefined) return
        const problem = await attempt(host, pending)
        if (problem === undefined) return
        await pause(announce(host, pending, problem, attempts))
      }
    } finally {
      hideProgress(host)
    }
  })

/** A trial that was cut off leaves a plan with nothing pending: what is pending is decided anew. */
async function takeUp(host: Host): Promise<void> {
  const isOpen = Object.values(readTrials(host)).some(({ outcome }) => outcome === 'under way')
  if (isOpen && pendingNow(host) === undefined)
    await oneAtATime(host, () => configure(inPresentContext(host)))
}

/** Has a model tried again that failed, or whose trial was ended, by the unit. */
export async function retryModel(host: Host): Promise<void> {
  await oneAtATime(host, async () => {
    if (!forgetFailures(host)) throw new Error('no model has failed here, so there is none to try again.')
    await serve(inPresentContext(host))
  })
  await orderFetch(host, pendingNow(host) !== undefined)
  host.log.info('It is tried again. How far it is: slm-copilot status')
}

/** Fetches and serves a model. Returns what stands in its way and may pass. */
async function attempt(host: Host, pending: PendingModel): Promise<string | undefined> {
  const { name } = pending.model
  recordTrial(host, pending, { outcome: 'under way' })
  showProgress(host, `Fetching ${name}`)
  try {
    await fetchWeights(host, pending, progress => showProgress(host, fetchLine(name, progress)))
  } catch (error) {
    const { message } = error as Error
    // Whole, from one attempt, and wrong: gigabytes would come for nothing again.
    const isFinal = error instanceof DigestError && !error.wasResumed
    return isFinal ? oneAtATime(host, () => giveUp(host, pending, message)) : message
  }
  showProgress(host, `${name} is fetched; it is tried now.`)
  return oneAtATime(host, () => swap(host, pending))
}

/** Says when the next attempt is, and returns the seconds until then. */
function announce(host: Host, { model }: PendingModel, problem: string, attempts: number): number {
  const seconds = pauseAfter(attempts)
  const at = new Date(host.now().getTime() + seconds * 1000).toISOString().slice(11, 19)
  const said = `${model.name} is not fetched yet: ${problem} Next attempt: ${at} UTC.`
  host.log.warn(said)
  showProgress(host, said)
  return seconds
}

/** A context that came during the download may want another model, or none: its bootstrap has seen to that. */
const isStale = (host: Host, pending: PendingModel) => !isDeepStrictEqual(pendingNow(host), pending)

/**
 * Serves the model in place of the one that does; that one again where it does not answer. Returns why the present context
 * cannot be served: that says nothing of the model.
 */
async function swap(host: Host, pending: PendingModel): Promise<string | undefined> {
  if (isStale(host, pending)) return undefined
  const { model } = pending
  const present = inPresentContext(host)
  host.log.info(`${model.name} takes over`)
  const { [model.sha256]: _, ...othersTrials } = readTrials(host)
  try {
    await configure(present, othersTrials)
  } catch (error) {
    return (error as Error).message
  }
  try {
    await bootstrap(present, paths.report)
  } catch (error) {
    return giveUp(host, pending, (error as Error).message)
  }
  if (!isServed(host, pending)) return undefined
  recordTrial(host, pending, undefined)
  const release = installedRelease(host)
  removeOthers(host, release, [release.model, model])
  return undefined
}

/** It is what has just been served: a context that came a moment ago may ask for another. */
function isServed(host: Host, { model }: PendingModel): boolean {
  const plan = readPlan(host)
  return plan.state === 'serving' && plan.capacity.model.sha256 === model.sha256
}

/** Serves what can serve without it, if anything, and has report, banner and log say why. */
async function giveUp(host: Host, pending: PendingModel, problem: string): Promise<undefined> {
  host.log.error(`${pending.model.name} is not served: ${problem}`)
  recordTrial(host, pending, { outcome: 'failed', why: firstSentence(problem) })
  await serve(inPresentContext(host))
}

/** The first line of a message; the log has the others. */
const firstSentence = (message: string) => `${(message.split('\n')[0] ?? '').replace(/[:.]?$/, '')}.`

/** A host whose environment is the context in force: this process may have been started with another. */
function inPresentContext(host: Host): Host {
  const text = host.files.read(paths.contextFile)
  if (text !== undefined) return { ...host, env: parseEnvironment(text) }
  throw new Error(`${paths.contextFile}, with the context's variables, is missing.`)
}

/** Both stages. */
async function serve(host: Host): Promise<void> {
  await configure(host)
  await bootstrap(host, paths.report)
}
