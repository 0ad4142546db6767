import { utimesSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { certificateFiles, modelPath, paths } from '../../lib/appliance/paths.ts'
import { describedCapacity, planNotes } from '../../lib/appliance/plan.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { reportText } from '../../lib/render/text/report.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { readCa } from '../../lib/steps/tls/certificates.ts'
import { clientView } from '../../lib/steps/tls/client-view.ts'
import { inUseFiles, readPairInUse } from '../../lib/steps/tls/installed-pairs.ts'
import type { Facts } from '../../lib/system/facts.ts'
import type { Host } from '../../lib/system/host.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { recordProof } from '../../lib/system/verified-files.ts'
import { configure } from '../../lifecycle/configure.ts'
import { capacityFor, tinyModel } from '../support/capacity.ts'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const names = { dns: ['copilot.example.com'], ip: [] }
const supplied = issued(names, rightClock(new Date('2026-02-14T10:00:00Z'))).leaf
const context = { ONEAPP_COPILOT_TLS_CERT: supplied.certificate, ONEAPP_COPILOT_TLS_KEY: supplied.key }

/** The report up to and including its section on TLS. */
function tlsOf(host: Host): string {
  const view = clientView(readPairInUse(host), readCa(host), ['copilot.example.com', '192.0.2.7'])
  const capacity = capacityFor(tinyModel)
  const serving = { notes: [], remarks: [], serves: true, isRouter: false }
  const text = reportText({ ...view, password: 'x', capacity, companions: [], services: [], ...serving })
  return text.slice(0, text.indexOf('[Services]'))
}

it('uses a supplied pair while the context contains it', async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure({ ...host, env: context })
  expect(readPairInUse(host)).toMatchObject({ mode: 'supplied', pair: supplied })
  expect(host.files.status(`${paths.currentCertificate}/${certificateFiles.key}`)?.mode).toBe(0o600)
  expect(tlsOf(host)).toMatch(/^endpoint += https:\/\/copilot\.example\.com\/v1$/m)
  expect(tlsOf(host)).toMatch(/^mode += supplied in the context, for copilot\.example\.com; trust its root/m)
  expect(tlsOf(host)).not.toContain('192.0.2.7')
  expect(host.files.list(paths.certificates)).toHaveLength(2)
  const again = await configure({ ...host, env: context })
  expect(again.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([])
  expect(host.lines.filter(line => line.startsWith('Nothing to change'))).toHaveLength(1)

  await configure(host)
  expect(readPairInUse(host).mode).toBe('private')
  expect(tlsOf(host)).toMatch(/^mode += signed by this VM's own CA/m)
  expect(host.files.list(paths.certificates)).toHaveLength(1)
  expect(host.lines.join('\n')).not.toContain(supplied.key.split('\n')[1])
})

it('sends HSTS only with a pair that browsers trust', () => {
  const [certificate = ''] = rootCertificates
  const headers = (mode: 'supplied' | 'private', pem: string) =>
    inUseFiles({ mode, target: '', pair: { certificate: pem, key: '' } }).at(-1)
  expect(headers('supplied', certificate)).toMatchObject({
    text: expect.stringContaining('Strict-Transport'),
  })
  expect(headers('supplied', supplied.certificate)).toMatchObject({
    text: expect.not.stringContaining('Strict-T'),
  })
  expect(headers('private', supplied.certificate)).toMatchObject({
    text: expect.not.stringContaining('Strict-T'),
  })
})

it('notes what slows inference: severe notes apart, none twice, none about changing values', async () => {
  const host = recordedHost()
  const seen = (stolen: number): Facts => ({
    ...facts,
    cpu: { model: 'QEMU Virtual CPU version 2.5+', features: [] },
    hugePages: 'never',
    cpuTime: { total: 1000 + stolen, stolen },
    swap: { size: 2 ** 30, used: stolen * 2 ** 20 },
  })
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure({ ...host, facts: () => seen(0) })
  const { notes, hardware } = readPlan(host)
  expect(notes).toEqual([expect.stringContaining('no AVX2')])
  expect(hardware).toEqual([
    expect.stringContaining('huge pages'),
    expect.stringMatching(/^qwen3\.6-35b-a3b fits into this VM, too: .* about 5 times as fast\./),
  ])
  for (const note of [...notes, ...hardware]) expect(host.lines.filter(line => line === note)).toHaveLength(1)

  const again = await configure({ ...host, facts: () => seen(500) })
  expect(again.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([])
})

it('persists conversations only if requested, and removes them once that is no longer so', async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  const unit = () => host.files.read(paths.unit)
  await configure(host)
  expect(unit()).not.toContain('--slot-save-path')
  expect(host.files.status(paths.promptCacheUnit)).toBeUndefined()

  await configure({ ...host, env: { ONEAPP_COPILOT_KEEP_PROMPTS: 'YES' } })
  expect(unit()).toContain(`--slot-save-path ${paths.promptCacheFolder}\n`)
  expect(unit()).toContain('CacheDirectoryMode=0700\n')
  expect(host.files.target(paths.promptCacheWanted)).toBe(paths.promptCacheUnit)
  host.files.replace(`${paths.promptCacheFolder}/slot-0.kv`, 'a conversation', 0o600)
  host.files.replace(paths.promptCacheIndex, '{}', 0o600)

  await configure(host)
  expect(unit()).not.toContain('--slot-save-path')
  for (const path of [
    paths.promptCacheFolder,
    paths.promptCacheIndex,
    paths.promptCacheUnit,
    paths.promptCacheWanted,
  ])
    expect(host.files.status(path)).toBeUndefined()
})

it("limits llama-server's memory to the plan, without swap", async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure(host)
  const { memoryLimit } = describedCapacity(readPlan(host))
  expect(host.files.read(paths.memoryDropIn)).toContain(`MemoryMax=${memoryLimit}\nMemorySwapMax=0\n`)
})

it.each(['4096', '131072', '393216'])(
  'limits requests to what the stack allows, with a context of %s tokens',
  async size => {
    const host = recordedHost({ facts: () => ({ ...facts, memory: 128 * GiB }) })
    await applyFiles(host, [releaseFile(productionRelease)])
    await configure({ ...host, env: { ONEAPP_COPILOT_CONTEXT_SIZE: size } })
    const numbers = (path: string, pattern: RegExp) =>
      [...(host.files.read(path) ?? '').matchAll(pattern)].map(([, number]) => Number(number))
    const [stack = 0] = numbers(paths.memoryDropIn, /^LimitSTACK=(\d+)$/gm)
    const largest = Math.max(...numbers(paths.edgeConfiguration, /client_max_body_size (\d+);/g))
    // Measured: at most 340 bytes of stack per character.
    expect(largest).toBeGreaterThanOrEqual(2 ** 20)
    expect(stack / largest).toBeGreaterThan(340)
  },
)

it('limits the time of an answer in both proxies and in the error message alike', async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure(host)
  expect(host.files.read(paths.edgeConfiguration)).toContain('proxy_read_timeout 32768s;')
  expect(host.files.read(paths.edgeProgram)).toContain('"answerTimeout":32768,')
  // Longer, so that the edge proxy is the one that answers.
  expect(host.files.read(paths.admissionConfiguration)).toContain('proxy_read_timeout 32828s;')
})

it('prepares for a pending model if the baked one does not fit, but rejects one that does not fit either', async () => {
  const small = { ...facts, memory: 8 * 2 ** 30 }
  const host = { ...recordedHost(), facts: () => small }
  await applyFiles(host, [releaseFile(productionRelease)])
  await configure({ ...host, env: { ONEAPP_COPILOT_MODEL: 'qwen2.5-coder-3b' } })
  expect(readPlan(host)).toMatchObject({
    state: 'waiting',
    download: { url: expect.stringContaining('qwen2.5-coder-3b') },
    intended: { model: { name: 'qwen2.5-coder-3b' } },
    reason: expect.stringContaining('nothing is served until it is downloaded'),
  })
  const before = host.files.read(paths.plan)
  await expect(configure({ ...host, env: { ONEAPP_COPILOT_MODEL: 'gpt-oss-20b' } })).rejects.toThrow(
    /^gpt-oss-20b does not fit into 8\.0 GiB .*Give the VM 13\.0 GiB, or choose a smaller model/,
  )
  await expect(configure(host)).rejects.toThrow(/^devstral-small-2 does not fit/)
  expect(host.files.read(paths.plan)).toBe(before)
})

describe('weights that may not be the verified file', () => {
  const { model } = productionRelease
  const path = modelPath(model.name)
  const proof = { path, sha256: model.sha256, proofs: stateFiles.fileProofs }

  it.each<[string, (host: Host) => void, boolean]>([
    ['unchanged', () => {}, false],
    ['another file of the same size', host => host.files.replace(path, 'WEIGHTS', 0o644), true],
    ['longer', host => host.files.replace(path, 'weights, and more', 0o644), true],
    ['touched in place', host => utimesSync(host.files.at(path), 1, 1), true],
    ['without a record', host => host.files.remove(paths.fileProofs), true],
    ['with a damaged record', host => host.files.replace(paths.fileProofs, '{', 0o644), true],
    ['missing, which llama-server reports', host => host.files.remove(path), false],
  ])('are noted: %s', async (_, change, isNoted) => {
    const host = recordedHost()
    await applyFiles(host, [releaseFile(productionRelease)])
    host.files.replace(path, 'weights', 0o644)
    recordProof(host, proof, path)
    change(host)
    await configure(host)
    const note = expect.stringMatching(`^${path} has changed since it was verified`)
    expect(planNotes(readPlan(host))).toEqual(
      isNoted ? expect.arrayContaining([note]) : expect.not.arrayContaining([note]),
    )
  })
})

it('tells of misspelt names beside wrong values, so that all can be fixed at once', async () => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  const env = { ONEAPP_COPILOT_THREADS: 'all', ONEAPP_COPILOT_PASSWROD: 'x' }
  await expect(configure({ ...host, env })).rejects.toThrow(/ONEAPP_COPILOT_THREADS/)
  expect(host.lines.join('\n')).toMatch(
    /ONEAPP_COPILOT_PASSWROD is not a variable.* Did you mean ONEAPP_COPILOT_PASSWORD/,
  )
})
