/** Stages and the unit against a real HTTP server in OneGate's place: serving, failing, slow, absent. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { attributeNames, drainingName, loadNames } from '../../lib/appliance/fleet/attributes.ts'
import { publishedNames } from '../../lib/appliance/onegate.ts'
import { certificateFiles, paths } from '../../lib/appliance/paths.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { clear, publish, readPublication, withdraw } from '../../lib/steps/onegate.ts'
import { setAvailable, setUnavailable } from '../../lib/steps/services/availability.ts'
import { beginDraining, endDraining } from '../../lib/steps/services/drain.ts'
import { recordHealth } from '../../lib/steps/services/watchdog.ts'
import { $, type CommandOptions, type Shell } from '../../lib/system/shell.ts'
import { writeState } from '../../lib/system/state-files.ts'
import { readContext } from '../../lifecycle/environment.ts'
import { publishLoad } from '../../lifecycle/publish-load.ts'
import { updateReadiness } from '../../lifecycle/readiness.ts'
import { freePort } from '../../packer/build/ports.ts'
import { capacityFor, servingPlan, tinyModel } from '../support/capacity.ts'
import { type RecordedHost, recordedHost } from '../support/recorded-host.ts'
import { type OneGateUpdate, oneGateServer, shownAfter } from '../vm/onegate.ts'

const token = 'Secret/token+of="this\\VM'
const attributes = Object.fromEntries(Object.values(attributeNames).map(name => [name, `value of ${name}`]))
const ready = { ...attributes, [drainingName]: '', READY: 'YES' }

const closings: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

type OneGate = { endpoint: string; updates: OneGateUpdate[]; answer: (response: ServerResponse) => void }

/** `answer` can be replaced. */
async function startOneGate(): Promise<OneGate> {
  const oneGate: OneGate = { endpoint: '', updates: [], answer: response => void response.end() }
  const server = oneGateServer(
    update => void oneGate.updates.push(update),
    response => oneGate.answer(response),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  oneGate.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  closings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return oneGate
}

/** Runs real commands, and records them as their arguments are seen. */
const recording = (commands: string[], shell = $): Shell =>
  ((first: TemplateStringsArray | CommandOptions, ...args: string[]) => {
    if (!('raw' in first)) return recording(commands, shell(first))
    commands.push([...first, ...args].join(' '))
    return shell(first, ...args)
  }) as Shell

function hostFor(endpoint: string): RecordedHost {
  const commands: string[] = []
  const host = { ...recordedHost(), $: recording(commands), commands }
  host.files.replace(
    paths.contextFile,
    `export TOKENTXT='${token}'\nexport VMID="7"\nexport ONEGATE_ENDPOINT="${endpoint}"\nexport REPORT_READY="YES"\n`,
    0o400,
  )
  const folder = `${paths.tls}/certificates/own`
  for (const file of Object.values(certificateFiles)) host.files.replace(`${folder}/${file}`, 'PEM', 0o600)
  host.files.replace(paths.caCertificate, 'PEM', 0o644)
  host.files.replaceLink(paths.currentCertificate, 'certificates/own')
  return host
}

it('publishes with the token in a header, which is neither in an argument nor in a log', async () => {
  const { endpoint, updates } = await startOneGate()
  const host = hostFor(`${endpoint}/`)
  await clear(host, readContext(host))
  await publish(host, readContext(host), attributes as never)
  expect(updates.map(({ token, vmId }) => ({ token, vmId }))).toEqual(Array(2).fill({ token, vmId: '7' }))
  expect(shownAfter(updates)).toMatchObject(ready)
  expect(host.commands.length).toBe(2)
  expect([...host.commands, ...host.lines, host.files.read(paths.oneGate)].join('\n')).not.toContain('Secret')
})

const html = `<html>X-ONEGATE-TOKEN: ${token}</html>`
const failures: [string, (oneGate: OneGate) => Promise<string> | string, RegExp][] = [
  [
    'answers 500, and repeats the token',
    oneGate => {
      oneGate.answer = response => void response.writeHead(500).end(html)
      return oneGate.endpoint
    },
    /: it answered 500\./,
  ],
  [
    'answers 403',
    oneGate => {
      oneGate.answer = response => void response.writeHead(403).end(html)
      return oneGate.endpoint
    },
    /: it answered 403\./,
  ],
  [
    'redirects',
    oneGate => {
      oneGate.answer = response => void response.writeHead(302, { location: '/else' }).end()
      return oneGate.endpoint
    },
    /: it answered 302\./,
  ],
  [
    'never answers',
    oneGate => {
      oneGate.answer = () => {}
      return oneGate.endpoint
    },
    /: no answer within 3 s\./,
  ],
  [
    'answers a byte a second',
    oneGate => {
      oneGate.answer = response => {
        response.writeHead(200)
        const timer = setInterval(() => response.write('x'), 1000)
        response.on('close', () => clearInterval(timer))
      }
      return oneGate.endpoint
    },
    /: no answer within 3 s\./,
  ],
  ['is not listening', async () => `http://127.0.0.1:${await freePort()}`, / connect to/],
  [
    'has a name that does not exist',
    () => 'http://onegate.invalid:5030',
    /could not resolve host|no answer within/,
  ],
  ['has no URL', () => 'zork', /ONEGATE_ENDPOINT is not a URL/],
]

describe('a OneGate that', () => {
  it.each(failures)(
    '%s: fails nothing, takes less than 10 s in all, is logged once',
    async (_, make, message) => {
      const oneGate = await startOneGate()
      const host = hostFor(await make(oneGate))
      const began = Date.now()
      await clear(host, readContext(host))
      await publish(host, readContext(host), attributes as never)
      expect(Date.now() - began).toBeLessThan(10_000)
      expect(host.lines).toEqual([expect.stringMatching(message)])
      expect(host.lines[0]).toMatch(
        /^OneGate was not updated: .* It may show an outdated state of this VM\.$/,
      )
      expect(host.lines.join()).not.toContain('Secret')
    },
  )

  it('the VM has no access to: is logged once, nothing is sent', async () => {
    const host = recordedHost()
    for (const _ of [1, 2]) {
      await clear(host, {})
      await publish(host, {}, attributes as never)
    }
    expect(host.lines).toEqual([expect.stringMatching(/^OneGate is not used: .*TOKEN=YES/)])
    expect(host.commands).toEqual([])
  })

  it.each([
    ['another', [15, 30, 60]],
    ['the tenth', Array(9).fill(expect.any(Number)).concat(600)],
  ])('goes on failing: %s attempt is announced for the watchdog, later each time', async (_, pauses) => {
    const oneGate = await startOneGate()
    oneGate.answer = response => void response.writeHead(500).end()
    const host = hostFor(oneGate.endpoint)
    host.files.replace('/proc/uptime', '1000.00 1.00\n', 0o644)
    const seen: unknown[] = []
    for (const _attempt of pauses) {
      await publish(host, readContext(host), attributes as never)
      seen.push((readPublication(host)?.retryAt ?? 0) - 1000)
    }
    expect(seen).toEqual(pauses)
  })

  it('recovers: the next event publishes', async () => {
    const oneGate = await startOneGate()
    const host = hostFor(oneGate.endpoint)
    oneGate.answer = response => void response.writeHead(500).end()
    await publish(host, readContext(host), attributes as never)
    oneGate.answer = response => void response.end()
    recordHealth(host, true)
    await updateReadiness(host, 'running')
    expect(shownAfter(oneGate.updates)).toMatchObject(ready)
    expect(host.lines.at(-1)).toBe('OneGate is updated again')
  })
})

/** What the unit does about a published appliance, after each of these events. */
const events: [string, (host: RecordedHost) => unknown, 'nothing' | 'cleared'][] = [
  ['nothing', () => {}, 'nothing'],
  ['llama-server ended', host => setUnavailable(host, 'It ended.'), 'cleared'],
  [
    'llama-server is loading',
    host => Object.assign(host, { http: async () => ({ status: 503 }) }),
    'cleared',
  ],
  ['its socket is gone', host => Object.assign(host, { http: () => Promise.reject(new Error()) }), 'cleared'],
  ['the watchdog is not satisfied', host => recordHealth(host, false), 'nothing'],
]

describe('between the stages', () => {
  const servingHost = async () => {
    const oneGate = await startOneGate()
    const host = hostFor(oneGate.endpoint)
    host.files.replace(paths.frameworkStatus, 'bootstrap_success\n', 0o644)
    recordHealth(host, true)
    await publish(host, readContext(host), attributes as never)
    return { host, updates: oneGate.updates }
  }
  const cleared = { ...Object.fromEntries(publishedNames.map(name => [name, ''])), READY: 'NO' }

  it.each(events)('%s', async (_, happen, effect) => {
    const { host, updates } = await servingHost()
    happen(host)
    await updateReadiness(host, 'running')
    await updateReadiness(host, 'running')
    expect(updates.length).toBe(effect === 'nothing' ? 1 : 2)
    expect(shownAfter(updates)).toEqual(effect === 'nothing' ? ready : cleared)
  })

  it('is published again, READY included, only once the watchdog is satisfied', async () => {
    const { host, updates } = await servingHost()
    setUnavailable(host, 'It ended.')
    recordHealth(host, false)
    await updateReadiness(host, 'running')
    setAvailable(host)
    await updateReadiness(host, 'running')
    expect(shownAfter(updates)).toEqual(cleared)
    recordHealth(host, true)
    await updateReadiness(host, 'running')
    expect(shownAfter(updates)).toMatchObject(ready)
  })

  it('is not published again after a configure whose bootstrap has not succeeded', async () => {
    const { host, updates } = await servingHost()
    await clear(host, readContext(host))
    await updateReadiness(host, 'running')
    expect(shownAfter(updates)).toEqual(cleared)
  })

  it('says that it drains, until that is undone, and is cleared at shutdown', async () => {
    const { host, updates } = await servingHost()
    beginDraining(host)
    for (const phase of ['running', 'draining'] as const) await updateReadiness(host, phase)
    expect(updates.length).toBe(2)
    expect(shownAfter(updates)).toEqual({ ...attributes, READY: 'NO', [drainingName]: 'YES' })
    endDraining(host)
    await updateReadiness(host, 'running')
    expect(shownAfter(updates)).toMatchObject(ready)
    beginDraining(host)
    await updateReadiness(host, 'stopping')
    expect(shownAfter(updates)).toEqual(cleared)
  })

  it('publishes the load as it changes, and anew after whatever has cleared it', async () => {
    const { host, updates } = await servingHost()
    writeState(host, stateFiles.plan, servingPlan(capacityFor(tinyModel)))
    let running = 0
    const page = () =>
      `Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: ${running + 1} Waiting: 0 \n`
    Object.assign(host, { http: async () => ({ status: 200, body: page() }) })
    const load = () => Object.values(loadNames).map(name => shownAfter(updates)[name])
    for (const [busy, count] of [
      [0, 2],
      [0, 2],
      [1, 3],
      [2, 4],
      [2, 4],
    ] as const) {
      running = busy
      await publishLoad(host)
      expect(load()).toEqual([String(busy), String(busy * 50), '0'])
      expect(updates.length).toBe(count)
    }
    await withdraw(host, readContext(host))
    await publishLoad(host)
    expect(load()).toEqual(['', '', ''])
    await publish(host, readContext(host), attributes as never)
    await publishLoad(host)
    expect(load()).toEqual(['2', '100', '0'])
  })

  it('is cleared at shutdown, though it serves', async () => {
    const { host, updates } = await servingHost()
    await updateReadiness(host, 'stopping')
    expect(shownAfter(updates)).toEqual(cleared)
  })
})
