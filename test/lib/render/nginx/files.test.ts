/** One number through nginx's files: the edge proxy's configuration, its program, and the admission proxy agree. */
import { describe, expect, it } from 'vitest'
import { companionCatalogue } from '../../../../lib/appliance/models/companions.ts'
import { paths } from '../../../../lib/appliance/paths.ts'
import { largestBody } from '../../../../lib/appliance/requests/size.ts'
import { companionCapacity } from '../../../../lib/appliance/sizing/companions.ts'
import { nginxFiles } from '../../../../lib/render/nginx/files.ts'
import { capacityFor, tinyModel } from '../../../support/capacity.ts'
import { plainContext, siteWith } from '../../../support/site.ts'

const alice = { name: 'alice', key: 'alices-key-0123' }

function rendered(contextSize: number, changes: Parameters<typeof siteWith>[0] = {}) {
  const capacity = capacityFor(tinyModel, { contextSize, parallel: 3 })
  const files = nginxFiles(siteWith({ capacity, ...changes }), capacity)
  const text = (path: string) => files.find(file => file.path === path)?.text ?? ''
  const settings = JSON.parse(/^const settings = (.*);$/m.exec(text(paths.edgeProgram))?.[1] ?? '')
  return {
    capacity,
    files,
    settings,
    edge: text(paths.edgeConfiguration),
    admission: text(paths.admissionConfiguration),
  }
}

describe.each([2048, 65_536])('a context of %d tokens', contextSize => {
  it('limits the body alike in nginx and in its message', () => {
    const { capacity, settings, edge } = rendered(contextSize)
    const limit = largestBody(capacity)
    expect(settings.bodyLimit).toBe(limit)
    expect(edge).toContain(`client_max_body_size ${limit};`)
    expect(edge).toContain(`client_body_buffer_size ${limit * 1.25};`)
  })

  it('limits the time of an answer in the edge proxy, whose message says so, and later in the admission proxy', () => {
    const { settings, edge, admission } = rendered(contextSize)
    const seconds = Math.max(3600, contextSize)
    expect(settings.answerTimeout).toBe(seconds)
    expect(edge).toContain(`proxy_read_timeout ${seconds}s;`)
    expect(admission).toContain(`proxy_read_timeout ${seconds + 60}s;`)
  })

  it('tells the filter about the model', () => {
    const { settings } = rendered(contextSize)
    expect(settings).toMatchObject({
      models: ['tiny', 'default'],
      contextSize,
      vocabulary: tinyModel.geometry.vocabulary,
      readsImages: false,
      companions: {},
    })
  })
})

it('has no limit for tenants if there is one slot', () => {
  const capacity = capacityFor(tinyModel, { parallel: 1 })
  expect(nginxFiles(siteWith({ capacity }), capacity)[0]?.text).not.toContain(
    'limit_conn copilot_generations_per',
  )
})

it.each([
  [2, 1],
  [3, 2],
  [8, 7],
])('admits %d generations, of one tenant at most %d', (slots, ofOne) => {
  const capacity = capacityFor(tinyModel, { parallel: slots })
  const text = nginxFiles(siteWith({ capacity }), capacity)[0]?.text
  expect(text).toContain(`limit_conn copilot_generations ${slots};`)
  expect(text).toContain(`limit_conn copilot_generations_per_tenant ${ofOne};`)
})

it.each([
  { keys: [], sharedCache: false, names: false, salts: 0, hides: false },
  { keys: [alice], sharedCache: false, names: true, salts: 2, hides: false },
  { keys: [alice], sharedCache: true, names: true, salts: 0, hides: true },
])('with the keys $keys beside the password, shared: $sharedCache', row => {
  const { edge, admission } = rendered(4096, {
    context: { ...plainContext, ...row },
  })
  const { name } = alice
  const users = row.keys.length > 0 ? ['copilot', name] : ['copilot']
  // Each key is accepted as Bearer, Basic and x-api-key, under its name.
  for (const user of users) expect(edge.match(new RegExp(`" ${user};$`, 'gm'))).toHaveLength(3)
  // The admission proxy is told the tenant only if there are several.
  expect(edge).toContain(`proxy_set_header X-Copilot-Tenant ${row.names ? '$copilot_own_tenant' : '""'};`)
  expect(edge.match(/^ +"~\^(copilot|alice)\\z" [A-Za-z]{12};$/gm) ?? []).toHaveLength(row.salts)
  expect(admission.includes('copilot.countBody')).toBe(row.hides)
})

it.each<[string, Parameters<typeof rendered>[1], object]>([
  ['a copilot', { context: { ...plainContext, keys: [alice] } }, {}],
  [
    'one whose keys share a cache',
    { context: { ...plainContext, keys: [alice], sharedCache: true } },
    { hidesCounts: true },
  ],
  [
    'a router, whose copilots decide what is shared',
    { context: { ...plainContext, role: 'router', keys: [alice], sharedCache: true } },
    { fleetModels: paths.fleetModels },
  ],
])('what the program of %s hides, and lists', (_, changes, expected) => {
  const { hidesCounts, fleetModels } = rendered(4096, changes).settings
  expect({ hidesCounts, fleetModels }).toEqual(expected)
})

it('tells the filter what a service beside chat takes', () => {
  const model = companionCatalogue['qwen2.5-coder-1.5b']
  const capacity = companionCapacity({ cpus: 8, physicalCores: 8 }, model)
  const { companions } = rendered(4096, { companions: [capacity] }).settings
  expect(capacity.batchSize).toBe(1024)
  expect(companions).toEqual({
    completion: {
      model: model.name,
      vocabulary: 151_936,
      contextSize: 6144,
      texts: 682,
      // What the batch, an answer and the headings leave; three quarters and one quarter of a batch.
      extra: 4512,
      prefix: 2304,
      suffix: 768,
      infill: model.infill,
    },
  })
})

it('has separate caches on a router, whatever its copilots share', () => {
  const context = { ...plainContext, role: 'router' as const, keys: [alice], sharedCache: true }
  expect(siteWith({ context }).cacheSharing).toBe('separate')
})

it('writes what refers to others last, and the keys for root only', () => {
  const { files } = rendered(4096)
  expect(files.at(-1)?.path).toBe(paths.edgeConfiguration)
  expect(new Set(files.map(({ path }) => path)).size).toBe(files.length)
  const modes = Object.fromEntries(files.map(({ path, mode }) => [path, mode]))
  expect(modes).toMatchObject({
    [paths.edgeConfiguration]: 0o600,
    [paths.edgeProgram]: 0o600,
    // Read by the web server's user, who runs the admission proxy.
    [paths.admissionConfiguration]: 0o644,
    [paths.admissionProgram]: 0o644,
  })
})

it.each([
  [false, 'nginx version: nginx/1.22.1', ['listen 443 ssl http2 default_server']],
  [
    true,
    'nginx version: nginx/1.26.3',
    ['listen 443 ssl default_server', 'listen [::]:443 ssl', 'http2 on;'],
  ],
])('listens with IPv6 %s on %s', (hasIpv6, nginxVersion, lines) => {
  const { edge } = rendered(4096, { machine: { hasIpv6, memory: 4e9 }, nginxVersion })
  for (const line of lines) expect(edge).toContain(line)
  expect(edge.includes('[::]')).toBe(hasIpv6)
  expect(edge.includes('http2 on')).toBe(lines.includes('http2 on;'))
})
