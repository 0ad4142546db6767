import { truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { catalogue } from '../../lib/appliance/models/catalogue.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { modelPath, paths } from '../../lib/appliance/paths.ts'
import { describedCapacity, type Plan } from '../../lib/appliance/plan.ts'
import { planCapacity } from '../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { modelState, readVerifications } from '../../lib/steps/models/fetched-models.ts'
import { unreadModel } from '../../lib/steps/models/own-models.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import { planFile, readPlan } from '../../lib/steps/plan.ts'
import type { Host } from '../../lib/system/host.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { writeState } from '../../lib/system/state-files.ts'
import { recordProof } from '../../lib/system/verified-files.ts'
import { fetchModel, retryModel } from '../../lifecycle/fetch-model.ts'
import { servingPlan, tinyModel } from '../support/capacity.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

const model = catalogue['qwen2.5-coder-3b']
const machine = { cpus: 1, physicalCores: 1, memory: 64 * GiB }
const asked = { contextSize: 512, parallel: 1, threads: 1 }
const capacity = planCapacity(machine, productionRelease.model, asked)
const plan = servingPlan(capacity)
const pending = { model, url: 'http://192.0.2.1/m.gguf', circumstances: 'these' }

const stateNow = (host: Host) => modelState(host, readVerifications(host), model).state

async function hostWith(plans: Plan, exitCode = 0) {
  const stderr = `curl: (${exitCode}) Could not resolve host: 192.0.2.1\n`
  const host = recordedHost({}, () => (exitCode === 0 ? undefined : { exitCode, stdout: '000 ', stderr }))
  host.files.makeFolder('/run')
  await applyFiles(host, [releaseFile(productionRelease), planFile(plans)])
  return host
}

it('does nothing if no model is pending', async () => {
  const host = await hostWith(plan)
  await fetchModel(host)
  expect(readVerifications(host)).toEqual({})
})

it('retries a failed download after growing delays, and reports them, while the model is pending', async () => {
  const host = await hostWith({ ...plan, pending }, 6)
  const pauses: number[] = []
  await fetchModel(host, async seconds => {
    pauses.push(seconds)
    const progress = host.files.read(paths.fetchProgress)?.replaceAll('\n', ' ')
    expect(progress).toMatch(
      /qwen2.5-coder-3b is not downloaded yet: Download failed: could not resolve host: 192\.0\.2\.1\. Check/,
    )
    expect(host.files.status(paths.fetchProgress)?.mode).toBe(0o644)
    expect(stateNow(host)).toBe('not requested')
    if (pauses.length === 3) await applyFiles(host, [planFile(plan)])
  })
  expect(pauses).toEqual([15, 30, 60])
  expect(host.lines.filter(line => line.includes('Next attempt: 10:00:15 UTC.'))).toHaveLength(1)
  expect(host.files.read(paths.fetchProgress)).toBeUndefined()
})

it('asks again for the header of a model by URL that could not be reached, and gives up on none', async () => {
  const own = { url: 'file:///no/such/own.gguf', sha256: 'b'.repeat(64) }
  const host = await servingHost({}, tinyModel)
  host.files.makeFolder(dirname(paths.contextFile))
  const context = `ONEAPP_COPILOT_MODEL_URL=${own.url}\nONEAPP_COPILOT_MODEL_SHA256=${own.sha256}\n`
  host.files.replace(paths.contextFile, context, 0o600)
  const record = (isRetried: boolean) =>
    writeState(host, stateFiles.ownModels, { models: [], unread: { ...own, problem: 'x', isRetried } })
  record(true)
  await applyFiles(host, [planFile(plan)])
  const pauses: number[] = []
  await fetchModel(host, async seconds => {
    expect(unreadModel(host)?.problem).toMatch(/^\/no\/such\/own\.gguf does not exist\./)
    if (pauses.push(seconds) === 2) record(false)
  })
  expect(pauses).toEqual([15, 30])
})

/** Puts the complete model on disk, with this context in force. */
function placeModel(host: Host, context: string) {
  const path = modelPath(model.name)
  for (const folder of [dirname(paths.contextFile), dirname(path)]) host.files.makeFolder(folder)
  host.files.replace(paths.contextFile, context, 0o600)
  host.files.replace(path, '', 0o644)
  truncateSync(host.files.at(path), model.size)
  recordProof(host, { path, sha256: model.sha256, proofs: stateFiles.fileProofs }, path)
}

/** A machine that has the model, and is too small for the baked one. */
async function hostWithModel(plans: Plan, context: string) {
  const host = await hostWith(plans)
  placeModel(host, context)
  return { ...host, facts: () => ({ ...facts, memory: 8 * GiB }) }
}

it('does not mark a model as failed because the context cannot be configured', async () => {
  const host = await hostWithModel({ ...plan, pending }, '')
  const states: string[] = []
  await fetchModel(host, async () => {
    states.push(stateNow(host))
    await applyFiles(host, [planFile(plan)])
  })
  expect(states).toEqual(['pending verification'])
  expect(host.lines.join('\n')).toContain('devstral-small-2 does not fit into 8.0 GiB')
})

it('repeats an interrupted verification', async () => {
  const verifying = servingPlan(planCapacity(machine, model, asked))
  const host = await hostWithModel(verifying, 'ONEAPP_COPILOT_MODEL=qwen2.5-coder-3b\n')
  await fetchModel(host)
  expect(host.lines).toContain('qwen2.5-coder-3b is downloaded: verifying that it answers')
  // There is no llama-server here that could answer.
  expect(stateNow(host)).toBe('failed')
  expect(readPlan(host)).toMatchObject({
    state: 'unavailable',
    reason: expect.stringMatching(/^qwen2\.5-coder-3b is not served: .* No other installed model fits\.$/),
    fix: expect.stringMatching(/^To try again: /),
  })
  expect(host.files.read(paths.banner)).toContain('model qwen2.5-coder-3b')
})

it('marks no model as verified but the one that was served', async () => {
  const host = await servingHost({}, tinyModel)
  placeModel(host, '')
  await applyFiles(host, [planFile({ ...plan, pending })])
  await fetchModel(host)
  // The context has just changed to the baked one.
  expect(describedCapacity(readPlan(host)).model.name).toBe('tiny')
  expect(stateNow(host)).toBe('pending verification')
})

it('has nothing to retry if nothing failed', async () => {
  const host = await hostWith(plan)
  await expect(retryModel(host)).rejects.toThrow('no model has failed and none is pending')
})
