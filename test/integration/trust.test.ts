/** The VM's own CA, as verifiers see it: names that it may sign for are accepted, others are refused. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Names } from '../../lib/appliance/names.ts'
import type { Pair } from '../../lib/appliance/tls/certificates.ts'
import { freePort } from '../../packer/build/ports.ts'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-trust-'))
const own = {
  dns: ['copilot.example.com', 'copilot', 'localhost'],
  ip: ['192.0.2.7', '10.0.0.7', '2001:db8::7', 'fd00::7', '127.0.0.1', '::1'],
}
let ca: Pair

beforeAll(() => {
  ca = issued(own, rightClock(new Date())).ca
})
afterAll(() => rmSync(folder, { recursive: true }))

/** The verdict of a command on a certificate that the CA has signed for these names. */
async function verdict(names: Names, command: (ca: string, chain: string) => string[]) {
  const { leaf } = issued(names, rightClock(new Date()), ca)
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const [program = '', ...args] = command(file('ca.crt', ca.certificate), file('chain.pem', leaf.certificate))
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return `${status}: ${stdout}${stderr}`
}

const isAddress = (name: string) => isIP(name) !== 0
const only = (name: string): Names =>
  isAddress(name) ? { dns: ['localhost'], ip: [name] } : { dns: [name], ip: [] }

const openssl = (name: string) => (trusted: string, chain: string) => [
  ...['openssl', 'verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', trusted],
  ...[isAddress(name) ? '-verify_ip' : '-verify_hostname', name, chain],
]
const gnutls = (name: string) => (trusted: string, chain: string) => [
  ...['certtool', '--verify', '--load-ca-certificate', trusted, '--verify-hostname', name, '--infile', chain],
]

it.each([...own.dns, ...own.ip])('OpenSSL and GnuTLS trust it for %s', async name => {
  expect(await verdict(only(name), openssl(name))).toMatch(/^0: .*OK/)
  expect(await verdict(only(name), gnutls(name))).toMatch(/^0: .*The certificate is trusted/s)
})

it.each(['bank.example', 'example.com', 'mycopilot', 'a.copilot', 'a.copilot.example.com', 'www.localhost'])(
  'OpenSSL and GnuTLS refuse it for %s',
  async name => {
    expect(await verdict(only(name), openssl(name))).toMatch(/^2: .*(permitted|excluded) subtree violation/s)
    expect(await verdict(only(name), gnutls(name))).toMatch(/^1: .*violates the signer's constraints/s)
  },
)

/** The verdict of Node.js on a server that claims to be `name`. */
async function nodeSays(names: Names, name: string): Promise<string> {
  const { leaf } = issued(names, rightClock(new Date()), ca)
  const server = createServer({ cert: leaf.certificate, key: leaf.key }, socket => socket.end())
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const said = await new Promise<string>(resolve => {
    const socket = connect({ port, host: '127.0.0.1', servername: name, ca: ca.certificate }, () =>
      resolve('trusted'),
    )
    socket.on('error', error => resolve(error.message))
  })
  server.close()
  return said
}

it('Node.js trusts it for its names, and for no others', async () => {
  expect(await nodeSays(own, 'copilot.example.com')).toBe('trusted')
  expect(await nodeSays({ dns: ['bank.example'], ip: [] }, 'bank.example')).toMatch(
    /permitted subtree violation/,
  )
  expect(await nodeSays({ dns: ['copilot', 'bank.example'], ip: [] }, 'copilot')).toMatch(/permitted subtree/)
})
