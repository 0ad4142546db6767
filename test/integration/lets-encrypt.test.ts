/** A certificate for a domain: issued by the real Pebble to the real certbot, while the real nginx is serving. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { hstsFile } from '../../lib/render/nginx/hsts.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { clientView, trustFor } from '../../lib/steps/tls/client-view.ts'
import { type Host, openHost } from '../../lib/system/host.ts'
import { http } from '../../lib/system/http.ts'
import {
  answering,
  childEnvironment,
  commandLineOf,
  execute,
  type ShellCommand,
  shell,
} from '../../lib/system/shell.ts'
import { waitFor } from '../../lib/system/waiting.ts'
import { configure } from '../../lifecycle/configure.ts'
import { useCertificate } from '../../lifecycle/use-certificate.ts'
import { freePort } from '../../packer/build/ports.ts'
import { type Pebble, startPebble } from './support/pebble.ts'
import { type Edge, startEdge } from './support/stack.ts'

const domain = 'copilot.example.com'
const day = 86_400_000

let edge: Edge
let pebble: Pebble
/** How far the appliance's clock is ahead, in milliseconds. */
let lead = 0
/** Replaces the command that runs certbot: `timeout … SECONDS CERTBOT`. */
let instead = (command: ShellCommand): ShellCommand => command

beforeAll(async () => {
  edge = await startEdge({})
  mkdirSync(join(edge.root, paths.acme), { recursive: true })
  pebble = await startPebble(Number(new URL(edge.httpUrl).port))
})
afterAll(async () => {
  await pebble?.stop()
  await edge?.close()
})

const at = (path: string) => join(edge.root, path)

const runsCertbot = (commandLine: string) => commandLine.includes(' certbot ')

/** The folder as a machine on which systemd runs a single service, nginx. */
function hostFor(context: Record<string, string>, orders: string[]): Host {
  const isActive = 'ActiveState=active\nUnitFileState=enabled\nInvocationID=n1\nActiveEnterTimestamp=@1\n'
  return {
    ...openHost({ env: context, root: edge.root }),
    now: () => new Date(Date.now() + lead),
    query: shell(answering(() => ({ exitCode: 0, stdout: isActive, stderr: '' }))),
    $: shell(async command => {
      const commandLine = await commandLineOf(command)
      if (runsCertbot(commandLine)) {
        orders.push(commandLine)
        return execute(instead(command))
      }
      if (commandLine.startsWith('systemctl ')) await edge.reloadNginx()
      return answering(() => ({ exitCode: 0, stdout: '', stderr: '' }))(command)
    }),
    perform: (_what, act) => act(),
  }
}

/** Boots the machine: the kernel sets a new boot ID, then the stages run. */
function boot(context: Record<string, string>) {
  mkdirSync(at('/proc/sys/kernel/random'), { recursive: true })
  writeFileSync(at(paths.bootId), `${Math.random()}\n`)
  return stages(context)
}

/** Runs configure, then the part of bootstrap that concerns the certificate. */
async function stages(context: Record<string, string>) {
  const orders: string[] = []
  const host = hostFor(context, orders)
  const changes = await configure(host)
  const { tls, notes } = await useCertificate(host, readPlan(host))
  return {
    host,
    changed: changes.filter(({ outcome }) => outcome !== 'unchanged').map(({ path }) => path),
    tls,
    inUse: tls.inUse,
    serial: serialOf(tls.inUse.pair.certificate),
    notes,
    orders: orders.length,
  }
}

const serialOf = (pem: string) => new X509Certificate(pem).serialNumber

/** The serial number of the certificate that nginx presents for a server name. */
const shown = (servername: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port: edge.httpsPort, servername, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate()
      socket.destroy()
      resolve(certificate?.serialNumber ?? 'none')
    })
    socket.on('error', reject)
  })

/** Waits until nginx's new workers present this certificate. */
const untilShown = (serial: string) =>
  waitFor(
    async () => ((await shown(domain)) === serial ? true : undefined),
    () => {},
    60,
    'The certificate',
  )

const acme = () => ({
  ONEAPP_COPILOT_TLS_ACME_URL: pebble.directory,
  ONEAPP_COPILOT_TLS_ACME_CA: Buffer.from(pebble.ca).toString('base64'),
})
const withDomain = (name = domain) => ({ ...acme(), ONEAPP_COPILOT_DOMAIN: name })
const optionsAs = (serverName: string) => ({
  url: `${edge.url}/v1/models`,
  method: 'OPTIONS' as const,
  ca: pebble.root,
  serverName,
  timeout: 10,
})

it('serves its own certificate without a domain', async () => {
  const { inUse, orders } = await boot(acme())
  expect([inUse.mode, orders]).toEqual(['private', 0])
  expect(renew()).toBe('nothing to renew')
})

let first: string
it('obtains a certificate for a domain while nginx is serving, and serves it', async () => {
  const { tls, inUse, serial, notes, orders } = await boot(withDomain())
  expect([inUse.mode, notes, orders]).toEqual(['acme', [], 1])
  first = serial
  await untilShown(first)
  expect((await http(optionsAs(domain))).status).toBe(204)
  const own = await http({ url: `${edge.url}/ca.crt`, ...trustFor(inUse, tls.ca.pair), timeout: 10 })
  expect(own.status).toBe(200)
  expect(clientView(inUse, tls.ca.pair, [domain, '192.0.2.7'])).toMatchObject({
    endpoints: [domain],
    tls: { mode: 'acme', names: [domain], isPublic: false },
  })
})

it('orders no second one: not when run again, at the next boot, or after the domain was unset', async () => {
  expect(await stages(withDomain())).toMatchObject({ changed: [], orders: 0, serial: first })
  expect(await boot(withDomain())).toMatchObject({ changed: [], orders: 0, serial: first })

  const off = await boot(acme())
  expect([off.inUse.mode, off.orders]).toEqual(['private', 0])
  await untilShown(off.serial)
  expect(renew()).toBe('nothing to renew')

  const on = await boot(withDomain())
  expect([on.inUse.mode, on.orders, on.serial]).toEqual(['acme', 0, first])
  await untilShown(first)
})

/** Does what certbot's timer would, with every pair due for renewal; the hook's systemctl sends SIGHUP to nginx. */
function renew(): string {
  const unit = readFileSync(at(paths.certbotDropIn), 'utf8')
  const values = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.+)$`, 'gm'))].map(([, v]) => v ?? '')
  const [condition = ''] = values('ConditionPathExists')
  if (condition.startsWith('!') || !existsSync(at(condition))) return 'nothing to renew'

  const bin = at('run/bin')
  mkdirSync(bin, { recursive: true })
  const systemctl = `#!/bin/sh\necho "$@"\nkill -HUP "$(cat ${at('run/nginx.pid')})"\n`
  writeFileSync(join(bin, 'systemctl'), systemctl, { mode: 0o755 })
  const folders = [
    ...['--config-dir', at(paths.certbot), '--work-dir', at(paths.certbotWork)],
    ...['--logs-dir', at(paths.certbotLogs)],
  ]
  const variables = values('Environment').map(value => value.replace('=/', `=${edge.root}/`))
  const [command = []] = values('ExecStart').map(value => value.replace(' -q', '').split(' '))
  return execFileSync('env', [...variables, ...command, '--force-renewal', ...folders], {
    env: { ...childEnvironment, PATH: `${bin}:${childEnvironment.PATH}` },
    encoding: 'utf8',
  })
}

it("is renewed by certbot's service, whose hook reloads nginx; the next boot serves the new one", async () => {
  expect(renew()).toMatch(/try-reload-or-restart nginx\.service/)
  const renewed = serialOf(readFileSync(at(paths.currentChain), 'utf8'))
  expect(renewed).not.toBe(first)
  await untilShown(renewed)
  expect(await boot(withDomain())).toMatchObject({ changed: [], orders: 0, serial: renewed })
  first = renewed
})

it('obtains one for another domain, and renews only that; the first is still there when needed again', async () => {
  const other = 'other.example.com'
  const { inUse, orders, serial } = await boot(withDomain(other))
  expect([inUse.mode, orders]).toEqual(['acme', 1])
  expect(new X509Certificate(inUse.pair.certificate).subjectAltName).toBe(`DNS:${other}`)
  await untilShown(serial)

  expect(renew()).toMatch(/renewals succeeded/)
  expect(serialOf(readFileSync(at(paths.currentChain), 'utf8'))).not.toBe(serial)
  expect(await boot(withDomain())).toMatchObject({ orders: 0, serial: first })
})

it('serves the private one if the challenge fails, and says why; one attempt per boot, after a pause', async () => {
  const name = 'refused.example.com'
  await pebble.pointTo(name, '127.0.0.2')
  const { inUse, notes, orders, serial } = await boot(withDomain(name))
  expect([inUse.mode, orders]).toEqual(['private', 1])
  expect(notes).toEqual([
    expect.stringMatching(
      /refused\.example\.com: .*127\.0\.0\.2.*refused.* The VM's own certificate is in use\. Next attempt/,
    ),
  ])
  await untilShown(serial)
  expect(renew()).toBe('nothing to renew')

  lead = day
  expect(await stages(withDomain(name))).toMatchObject({ changed: [], notes, orders: 0 })
  lead = 0
  expect(await boot(withDomain(name))).toMatchObject({ changed: [], notes, orders: 0 })

  await pebble.pointTo(name, '127.0.0.1')
  lead = day
  expect(await boot(withDomain(name))).toMatchObject({ inUse: { mode: 'acme' }, notes: [], orders: 1 })
  lead = 0
})

it('serves the private one if the server cannot be reached, is not trusted, or does not answer', async () => {
  const port = await freePort()
  const silent = createServer(() => {}).listen(port, '127.0.0.1')
  await once(silent, 'listening')
  const fails = async (name: string, url: string, reason: RegExp) => {
    const context = { ONEAPP_COPILOT_DOMAIN: name, ONEAPP_COPILOT_TLS_ACME_URL: url }
    const { inUse, notes, orders } = await boot(context)
    expect([inUse.mode, orders, notes]).toEqual(['private', 1, [expect.stringMatching(reason)]])
  }
  await fails('gone.example.com', `https://127.0.0.1:${await freePort()}/dir`, /refused/)
  await fails('untrusted.example.com', pebble.directory, /certificate verify failed/)
  instead = ({ args: [, certbot = []], ...command }) => ({ ...command, args: [4, certbot] })
  await fails('silent.example.com', `https://127.0.0.1:${port}/dir`, /timed out after 120 s/)
  instead = command => command
  silent.close()
})

it('recovers after certbot was killed while installing a pair, and after the stage was killed', async () => {
  const name = 'killed.example.com'
  const kill = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=symlink',
    '-e',
    'inject=symlink:signal=KILL:when=3',
  ]
  instead = ({ args: [seconds = 0, certbot = []], ...command }) => ({
    ...command,
    args: [seconds, [...kill, ...[certbot].flat().map(String)]],
  })
  const killed = await boot(withDomain(name))
  expect([killed.inUse.mode, killed.notes]).toEqual(['private', [expect.stringMatching(/was killed/)]])
  expect(readdirSync(at(`${paths.certbot}/live`)).filter(each => each.startsWith(name))).toHaveLength(1)

  lead = day
  writeFileSync(at(paths.bootId), 'another\n')
  await new Promise<void>(asked => {
    const host = hostFor(withDomain(name), [])
    const $ = shell(async command => {
      if (runsCertbot(await commandLineOf(command))) {
        asked()
        return new Promise<never>(() => {})
      }
      return answering(() => ({ exitCode: 0, stdout: '', stderr: '' }))(command)
    })
    void useCertificate({ ...host, $ }, readPlan(host))
  })
  const next = await stages(withDomain(name))
  expect(next).toMatchObject({ inUse: { mode: 'private' }, orders: 0 })
  expect(next.notes).toEqual([
    expect.stringMatching(/The attempt was interrupted\. The VM's own certificate is in use/),
  ])

  lead = 2 * day
  instead = command => command
  expect(await boot(withDomain(name))).toMatchObject({ inUse: { mode: 'acme' }, notes: [], orders: 1 })
  lead = 0
})

it('sends HSTS only with a public certificate', async () => {
  const name = 'killed.example.com'
  const { host, serial } = await stages(withDomain(name))
  await untilShown(serial)
  expect((await http(optionsAs(name))).headers['strict-transport-security']).toBeUndefined()
  host.files.replace(paths.currentHeaders, hstsFile(true).text, 0o644)
  await edge.reloadNginx()
  const promised = await waitFor(
    async () => (await http(optionsAs(name))).headers['strict-transport-security'],
    () => {},
    60,
    'The header',
  )
  expect(promised).toBe('max-age=15768000')
  const page = await http({ url: `${edge.url}/`, ca: pebble.root, serverName: name, timeout: 10 })
  expect(page.headers['strict-transport-security']).toBe('max-age=15768000')
})
