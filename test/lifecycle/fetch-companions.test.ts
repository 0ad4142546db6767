import { truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, it } from 'vitest'
import { companionCatalogue } from '../../lib/appliance/models/companions.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { modelPath, paths } from '../../lib/appliance/paths.ts'
import { companionCapacity } from '../../lib/appliance/sizing/companions.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import { planFile } from '../../lib/steps/plan.ts'
import type { Host } from '../../lib/system/host.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { recordProof } from '../../lib/system/verified-files.ts'
import { fetchCompanions } from '../../lifecycle/fetch-companions.ts'
import { capacityFor, servingPlan } from '../support/capacity.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const model = companionCatalogue['qwen2.5-coder-1.5b']
const chat = servingPlan(capacityFor(productionRelease.model))
const companion = {
  capacity: companionCapacity(facts, { ...model, kind: 'completion' }),
  url: 'http://192.0.2.1/m.gguf',
  isInstalled: false,
}
const pendingPlan = { ...chat, companions: [companion] }

async function hostWith(plan: typeof chat) {
  const stderr = 'curl: (6) Could not resolve host: 192.0.2.1\n'
  const host = recordedHost({}, () => ({ exitCode: 6, stdout: '000 ', stderr }))
  host.files.makeFolder('/run')
  await applyFiles(host, [releaseFile(productionRelease), planFile(plan)])
  return host
}

/** Puts the whole model on the disk. */
function placeModel(host: Host) {
  const path = modelPath(model.name)
  host.files.makeFolder(dirname(path))
  host.files.replace(path, '', 0o644)
  truncateSync(host.files.at(path), model.size)
  recordProof(host, { path, sha256: model.sha256, proofs: stateFiles.fileProofs }, path)
}

it('does nothing if no model is pending', async () => {
  const host = await hostWith(chat)
  await fetchCompanions(host)
  expect(host.commands).toEqual([])
})

it('tries a failed download again after growing delays, and says so meanwhile', async () => {
  const host = await hostWith(pendingPlan)
  const pauses: number[] = []
  await fetchCompanions(host, async seconds => {
    pauses.push(seconds)
    expect(host.files.read(paths.companionProgress)?.replaceAll('\n', ' ')).toMatch(
      /^qwen2.5-coder-1.5b is not downloaded yet: Download failed: could not resolve host: 192\.0\.2\.1\. /,
    )
    if (pauses.length === 3) await applyFiles(host, [planFile(chat)])
  })
  expect(pauses).toEqual([15, 30, 60])
  expect(host.files.read(paths.companionProgress)).toBeUndefined()
})

it('tells a stage that fails from a download that fails', async () => {
  const host = await hostWith(pendingPlan)
  placeModel(host)
  await fetchCompanions(host, async () => {
    await applyFiles(host, [planFile(chat)])
  })
  expect(host.lines.filter(line => line.includes('Next attempt'))).toEqual([
    `qwen2.5-coder-1.5b is downloaded, but its service is not started: ${paths.contextFile}, which holds the context variables, is missing. Next attempt: in 15 s.`,
  ])
})
