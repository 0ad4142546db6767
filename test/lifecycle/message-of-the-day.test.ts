/** The message of the day follows what is served, and the framework's text comes back. */
import { describe, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { setAvailable, setUnavailable } from '../../lib/steps/services/availability.ts'
import { beginDraining, endDraining } from '../../lib/steps/services/drain.ts'
import { recordHealth } from '../../lib/steps/services/watchdog.ts'
import type { Host } from '../../lib/system/host.ts'
import { bootstrap } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { updateReadiness } from '../../lifecycle/readiness.ts'
import { tinyModel } from '../support/capacity.ts'
import { servingHost } from '../support/serving-host.ts'

const success = '\n All set and ready to serve 8)\n\n'
const failure = '\n 3/3 Bootstrap step failed.\n\n'

/** A machine on which both stages have succeeded, with the framework's text. */
async function readyHost() {
  const host = await servingHost({}, tinyModel)
  await configure(host)
  await bootstrap(host, paths.report)
  recordHealth(host, true)
  host.files.replace(paths.messageOfTheDay, success, 0o644)
  return host
}
const messageOf = (host: Host) => (host.files.read(paths.messageOfTheDay) ?? '').replace(/\s+/g, ' ')
const update = (host: Host) => updateReadiness(host, 'running')
const answers = (http: Host['http']) => (host: Host) => void Object.assign(host, { http })
const status = (code: number, body = '') =>
  answers(async () => ({ status: code, headers: {}, body, arrivals: [] }))

describe('says why nothing is served', () => {
  it.each<[string, (host: Host) => void, RegExp]>([
    [
      'llama-server has crashed',
      host => setUnavailable(host, 'llama-server crashed.'),
      /llama-server crashed\./,
    ],
    ['it is being drained', beginDraining, /This VM has been draining since 2\S+Z: it finishes/],
    ['the model is loading', status(503, '{"status":"loading"}'), /The model is loading\./],
    ['the admission proxy is down', status(502), /nginx\.service answered 502/],
    [
      'nginx is down',
      answers(() => Promise.reject(new Error('connect ECONNREFUSED'))),
      /nginx\.service did not answer .* connect ECONNREFUSED/,
    ],
    [
      'the certificate has expired',
      answers(() => Promise.reject(new Error('certificate has expired'))),
      /certificate has expired/,
    ],
    ['the certificate is missing', host => host.files.remove(paths.currentCertificate), /No certificate in/],
    [
      'a model is being fetched',
      host => setUnavailable(host, 'b is not in the image.'),
      /b is not in the image\./,
    ],
  ])('%s', async (_, happen, says) => {
    const host = await readyHost()
    await update(host)
    expect(host.files.read(paths.messageOfTheDay)).toBe(success)
    const http = host.http
    const certificate = host.files.target(paths.currentCertificate) ?? ''
    happen(host)
    await update(host)
    expect(messageOf(host)).toMatch(/SLM-Copilot is not serving: /)
    expect(messageOf(host)).toMatch(says)
    expect(messageOf(host)).not.toContain('ready to serve')
    expect(host.files.read(paths.readiness)).toMatch(/^(unavailable|draining)/)

    Object.assign(host, { http })
    setAvailable(host)
    host.files.replaceLink(paths.currentCertificate, certificate)
    endDraining(host)
    await update(host)
    expect(host.files.read(paths.messageOfTheDay)).toBe(success)
    expect(host.files.read(paths.readiness)).toMatch(/^serving/)
  })
})

it('waits for the watchdog before it says that it serves again', async () => {
  const host = await readyHost()
  setUnavailable(host, 'llama-server crashed.')
  recordHealth(host, false)
  await update(host)
  setAvailable(host)
  await update(host)
  expect(messageOf(host)).toContain('llama-server crashed.')
  recordHealth(host, true)
  await update(host)
  expect(host.files.read(paths.messageOfTheDay)).toBe(success)
})

describe('the framework', () => {
  it('may write its text meanwhile: it stays, or is corrected', async () => {
    const host = await readyHost()
    setUnavailable(host, 'llama-server crashed.')
    await update(host)
    host.files.replace(paths.messageOfTheDay, ' 2/3 Configuration step is in progress...\n', 0o644)
    await update(host)
    expect(messageOf(host)).toBe(' 2/3 Configuration step is in progress... ')
    host.files.replace(paths.messageOfTheDay, success, 0o644)
    await update(host)
    expect(messageOf(host)).toContain('llama-server crashed.')
  })

  it('reports a failed stage: what is still served is added; once bootstrap succeeds, it is ready', async () => {
    const host = await readyHost()
    const invalid = { ...host, env: { ONEAPP_COPILOT_THREADS: 'many' } }
    await expect(configure(invalid)).rejects.toThrow()
    host.files.replace(paths.messageOfTheDay, failure, 0o644)
    await update(host)
    expect(messageOf(host)).toMatch(/Bootstrap step failed\. .* still serving/)

    await configure(host)
    await bootstrap(host, paths.report)
    await update(host)
    expect(messageOf(host)).toContain('All set and ready to serve')
    expect(messageOf(host)).not.toContain('step failed')
  })

  it('is not there: nothing is written', async () => {
    const host = await readyHost()
    host.files.remove(paths.messageOfTheDay)
    await update(host)
    expect(host.files.status(paths.messageOfTheDay)).toBeUndefined()
  })
})

it('is logged and tried again later if the message cannot be written, and OneGate is updated all the same', async () => {
  const host = await readyHost()
  host.files.replace('/proc/uptime', '1000.00 1.00\n', 0o644)
  host.files.replace(
    paths.contextFile,
    'TOKENTXT="secret"\nVMID="7"\nONEGATE_ENDPOINT="http://192.0.2.1:5030"\n',
    0o400,
  )
  setUnavailable(host, 'llama-server crashed.')
  const full: Host = {
    ...host,
    files: {
      ...host.files,
      replace: (path, ...rest) => {
        if (path === paths.messageOfTheDay) throw new Error(`${path} could not be written: no space left.`)
        host.files.replace(path, ...rest)
      },
    },
  }
  const before = host.commands.length
  await update(full)
  expect(host.lines).toContain('/etc/motd could not be written: no space left.')
  expect(host.commands.slice(before).filter(command => command.startsWith('curl ')).length).toBe(1)
  expect(host.files.read(paths.readiness)).toMatch(/^unavailable [0-9a-f]{64} 1600\n$/)
})
