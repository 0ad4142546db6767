/** `status`: whether it reports serving, its text and JSON, and what an ordinary user gets. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { paths, units } from '../../../lib/appliance/paths.ts'
import { sectionNames, statusSchema } from '../../../lib/appliance/status/status.ts'
import { statusText } from '../../../lib/render/text/status.ts'
import type { Host } from '../../../lib/system/host.ts'
import { answering as answeringCommands, shell } from '../../../lib/system/shell.ts'
import { bootstrap } from '../../../lifecycle/bootstrap.ts'
import { status } from '../../../lifecycle/cli/status.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { tinyModel } from '../../support/capacity.ts'
import { servingHost } from '../../support/serving-host.ts'

afterEach(() => vi.restoreAllMocks())

const show = (state: string, enabled = 'enabled') =>
  `ActiveState=${state}\nUnitFileState=${enabled}\nInvocationID=first\nMainPID=42\nActiveEnterTimestamp=@1771063200\n`
const metrics = `llamacpp:prompt_tokens_total 1000
llamacpp:prompt_seconds_total 0.5
llamacpp:tokens_predicted_total 50
llamacpp:tokens_predicted_seconds_total 1
`

/** A machine with these unit states and HTTP answers, on which both stages have succeeded. */
async function configured(unitStates: Record<string, string> = {}, http?: Host['http']) {
  const host = await servingHost({}, tinyModel)
  await configure(host)
  await bootstrap(host, paths.report)
  host.files.replace(paths.accessLog, '', 0o640)
  host.files.makeFolder(paths.models)
  host.files.makeFolder('/var/log')
  const query = shell(
    answeringCommands(command => {
      const unit = command.split(' ').find(word => word in unitStates) ?? ''
      if (command.startsWith('nginx -v'))
        return { exitCode: 0, stdout: '', stderr: 'nginx version: nginx/1.26.3' }
      return { exitCode: 0, stdout: unitStates[unit] ?? show('active'), stderr: '' }
    }),
  )
  const withMetrics: Host['http'] = async request => ({
    ...(await host.http(request)),
    ...(request.url.endsWith('/metrics') && { body: metrics }),
  })
  return { ...host, query, http: http ?? withMetrics }
}

const answering =
  (code: number): Host['http'] =>
  async () => ({ status: code, headers: {}, body: 'no', arrivals: [] })
const silent: Host['http'] = () => Promise.reject(new Error('connection refused'))

describe('whether it serves', () => {
  it.each([
    ['serves', {}, answering(200), true, /^SLM-Copilot is serving tiny\./],
    ['serves while all slots are taken', {}, answering(429), true, /^SLM-Copilot is serving tiny\./],
    [
      'shows the error that a client gets',
      {},
      answering(502),
      false,
      /is not serving\.\n\n {2}reason +nginx\.service answered 502/,
    ],
    ['says if there is no answer', {}, silent, false, /nginx\.service did not answer at\s+https:\/\/127/],
    [
      'names a unit that is not running',
      { [units.llama]: show('inactive') },
      answering(502),
      false,
      /slm-copilot\.service is not running\./,
    ],
    [
      'says if a unit will not start at boot',
      { [units.admission]: show('active', 'disabled') },
      answering(200),
      true,
      /active since 2026-02-14T10:00:00Z, not\s+enabled at boot/,
    ],
  ])('%s', async (_, unitStates, http, serves, says) => {
    const seen = await status(await configured(unitStates, http))
    expect(statusText(seen)).toMatch(says)
    expect(seen.isServing).toBe(serves)
  })

  it('prefers the reason recorded when llama-server ended', async () => {
    const host = await configured({ [units.llama]: show('inactive') }, answering(503))
    host.files.replace(paths.unavailableReason, 'llama-server ran out of memory.\n', 0o644)
    expect((await status(host)).problem).toBe('llama-server ran out of memory.')
  })
})

it('reads every section of a serving appliance, in the documented shape', async () => {
  const seen = await status(await configured())
  expect(statusSchema.parse(JSON.parse(JSON.stringify(seen)))).toEqual(seen)
  expect(seen.unknown).toEqual({})
  expect(seen).toMatchObject({
    isServing: true,
    problem: null,
    stages: { framework: null, install: null, configure: null, bootstrap: null },
    versions: { nginx: '1.26.3' },
    plan: { state: 'serving', model: 'tiny' },
    certificate: { mode: 'private' },
    smokeTest: { depth: 'full', problem: null },
    speed: { sinceStart: { prompt: 2000, generation: 50 } },
    requests: { total: 0, refused: {} },
  })
  const lines = statusText(seen).split('\n')
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80)
  expect(statusText(seen)).not.toMatch(/undefined|null|NaN|\[object/)
})

describe('what cannot be read', () => {
  it('is null, with the reason, and nothing else suffers', async () => {
    const host = await configured()
    host.files.remove(paths.smokeTest)
    host.files.replace(paths.plan, '{', 0o640)
    const seen = await status(host)
    const missing = sectionNames.filter(name => seen[name] === null)
    expect(missing).toEqual(expect.arrayContaining(['plan', 'smokeTest', 'notes']))
    expect(Object.keys(seen.unknown).sort()).toEqual(missing.sort())
    expect(seen.unknown.plan).toMatch(/plan\.json is damaged/)
    expect(seen.versions).not.toBeNull()
    expect(statusText(seen)).toMatch(
      /unknown +plan, .*notes:\s+\/etc\/slm-copilot\/plan\.json is damaged.*unknown +smoke test: no smoke test/s,
    )
  })

  it('is no guess: a damaged state file, whose warning would also end up in the JSON', async () => {
    const host = await configured()
    host.files.replace(paths.stageRuns, '{', 0o600)
    const before = host.lines.length
    const seen = await status(host)
    expect(seen.stages).toBeNull()
    expect(seen.unknown.stages).toMatch(/stages\.json is damaged/)
    expect(host.lines.length).toBe(before)
  })

  it('is told in words where nothing listens', async () => {
    const refusal = Object.assign(new Error('connect ENOENT'), {
      code: 'ENOENT',
      syscall: 'connect',
      address: paths.socket,
    })
    const seen = await status(await configured({}, () => Promise.reject(refusal)))
    expect(seen.unknown.speed).toBe(`Nothing listens at ${paths.socket}.`)
  })

  it('is named where a folder is missing', async () => {
    const host = await configured()
    host.files.remove('/var/log')
    expect((await status(host)).unknown.disks).toMatch(/\/var\/log is missing\.$/)
  })

  it('before configure: everything but a few sections, and it does not serve', async () => {
    const seen = await status(await servingHost({}, tinyModel))
    expect(seen.isServing).toBe(false)
    expect(seen.problem).toMatch(/could not be checked: No (certificate|CA)/i)
    expect(statusSchema.safeParse(seen).success).toBe(true)
  })

  it('an ordinary user gets what he may see, and asks for the health without the key', async () => {
    const urls: string[] = []
    const host = await configured({}, async ({ url }) => {
      urls.push(url)
      return { status: 200, headers: {}, body: '', arrivals: [] }
    })
    const refused = [paths.plan, paths.password, paths.accessLog, paths.smokeTest, paths.measurement]
    const { read } = host.files
    const limited = (path: string) => {
      if (!refused.includes(path as never) && !/privkey|ca\.key/.test(path)) return read(path)
      throw Object.assign(new Error('EACCES'), { code: 'EACCES', path })
    }
    vi.spyOn(process, 'getuid').mockReturnValue(1000)
    const seen = await status({ ...host, files: { ...host.files, read: limited } })
    expect(seen.isServing).toBe(true)
    expect(urls).toEqual(['https://127.0.0.1:443/health'])
    for (const name of ['services', 'versions', 'certificate', 'addresses', 'disks'] as const)
      expect(seen[name]).not.toBeNull()
    expect(seen.unknown.plan).toBe(`${paths.plan}: permission denied; root may read it.`)
    expect(statusText(seen)).toMatch(/^SLM-Copilot is serving\.\n/)
    expect(statusText(seen)).not.toMatch(/\n {4}at /)
  })
})
