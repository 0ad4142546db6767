/** The canary test: a unique secret in every place that can hold one, and none of them in the archive, in any encoding. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { paths } from '../../../lib/appliance/paths.ts'
import type { Host } from '../../../lib/system/host.ts'
import { $, answering, shell } from '../../../lib/system/shell.ts'
import { bootstrap } from '../../../lifecycle/bootstrap.ts'
import { type BundleOptions, supportBundle } from '../../../lifecycle/cli/support-bundle.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { parseEnvironment } from '../../../lifecycle/environment.ts'
import { tinyModel } from '../../support/capacity.ts'
import { servingHost } from '../../support/serving-host.ts'

const canaries: Record<string, string> = {}
/** What the Base64 of a longer text contains of it, by where in that text it begins. */
const base64sOf = (secret: string) =>
  [0, 1, 2].map(offset =>
    Buffer.from('x'.repeat(offset) + secret)
      .toString('base64')
      .slice(4, -4),
  )

/**
 * Has letters of both cases, and its Base64 has digits, too: without, a text that nothing here knows is taken for a word, or
 * for a variable's name.
 */
function canary(place: string): string {
  const secret = `${randomBytes(12).toString('base64url').replaceAll('-', 'x')}${Object.keys(canaries).length}`
  const isNoWord =
    /[a-z]/.test(secret) && /[A-Z]/.test(secret) && base64sOf(secret).every(text => /\d/.test(text))
  if (!isNoWord) return canary(place)
  canaries[place] = secret
  return secret
}

/** The context: our secrets, OpenNebula's, and variables that nobody here knows. */
const context = () =>
  Object.entries({
    ONEAPP_COPILOT_PASSWORD: canary('password in the context'),
    ONEAPP_COPILOT_KEYS: `alice=${canary("alice's key")} bob=${canary("bob's key")}`,
    ONEAPP_COPILOT_PASSWROD: canary('misspelt variable'),
    TOKENTXT: canary('OneGate token'),
    PASSWORD: canary("root's password"),
    USER_DATA: `#cloud-config\\npassword: ${canary('user data')}`,
    START_SCRIPT: canary('start script'),
    CLOUDFLARE_API_TOKEN: canary('DNS token in the context'),
    ETH0_IP: '192.0.2.7',
    VMID: '7',
  })
    .map(([name, value]) => `export ${name}="${value}"\n`)
    .join('')

const pem = (body: string) => `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`
const jwk = (secret: string) => JSON.stringify({ kty: 'RSA', n: 'public', d: secret })

/** Files on disk, also such that the bundle takes. */
const filled = (host: Host) => {
  const { replace } = host.files
  replace(`${paths.certbot}/archive/x/privkey1.pem`, pem(canary("Let's Encrypt's key")), 0o600)
  replace(`${paths.certbot}/accounts/acme/directory/a/private_key.json`, jwk(canary('ACME account')), 0o400)
  replace(`${paths.certbot}/dns.ini`, `dns_x_api_token = ${canary('DNS token')}\n`, 0o600)
  replace(`${paths.tls}/certificates/old/privkey.pem`, pem(canary('an old private key')), 0o600)
  replace('/root/.bash_history', `curl -H "Authorization: Bearer ${canary('shell history')}"\n`, 0o600)
  replace('/root/.ssh/id_ed25519', pem(canary('SSH key')), 0o600)
  replace(`${paths.edgeBodies}/0000000001`, `{"content":"${canary('request body')}"}`, 0o600)
  const logged = `2026-02-14T10:00:00Z [ERROR] a key: ${canary('log of the stages')}\n`
  replace(paths.log, `${logged}${'line\n'.repeat(10)}`, 0o640)
  replace(paths.accessLog, `192.0.2.1 - GET /v1/models?key=${canary('query')} 200\n`, 0o640)
  replace(paths.errorLog, `client sent Authorization: Bearer ${canary('error log')}\n`, 0o640)
  replace(paths.attempts, JSON.stringify({ x: { reason: canary('state file') } }), 0o600)
}

/** What is known by then, in lines of the journal in every encoding; and what only the journal has. */
function journal(): string {
  const known = Object.values(canaries).flatMap(secret => [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`copilot:${secret}`).toString('base64'),
    JSON.stringify({ secret }),
  ])
  return [
    ...known,
    `password=${canary('journal: an assignment')}`,
    `Bearer ${canary('journal: a header')}`,
    `it says ${canary('journal: a word')} and goes on`,
    pem(canary('journal: a private key')),
  ]
    .map(line => `Feb 14 10:00:00 copilot llama-server[42]: ${line}`)
    .join('\n')
}

/** The bundle of an appliance full of canaries. */
async function bundled(options: Partial<BundleOptions> = {}) {
  const serving = await servingHost({}, tinyModel)
  serving.files.replace(paths.contextFile, context(), 0o400)
  const env = parseEnvironment(serving.files.read(paths.contextFile) ?? '')
  await configure({ ...serving, env })
  await bootstrap(serving, paths.report)
  filled(serving)
  const output = journal()
  const query = shell(
    answering(command => {
      const stdout = /^(journalctl|systemctl (status|cat)|ps) /.test(command)
        ? output
        : 'ActiveState=active\n'
      return { exitCode: 0, stdout, stderr: '' }
    }),
  )
  const host = { ...serving, $, query }
  let listed = ''
  await supportBundle(host, { onlyList: false, ...options }, text => {
    listed += text
  })
  const [, path] = /\n(\/\S+\.tar\.gz):/.exec(listed) ?? []
  return { host, listed, archive: path === undefined ? undefined : join(serving.root, path) }
}

const tar = (archive: string | undefined, ...options: string[]) =>
  execFileSync('tar', [...options, '--gzip', '--file', String(archive)], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
const membersOf = (archive: string | undefined) => tar(archive, '--extract', '--to-stdout')

it('lists its files first, and the archive is for its owner alone', async () => {
  const { host, listed, archive } = await bundled()
  const names = tar(archive, '--list')
  for (const name of ['status.json', 'doctor.txt', 'context.txt', 'files/etc/slm-copilot/plan.json'])
    expect([listed, names]).toEqual([expect.stringContaining(name), expect.stringContaining(name)])
  const files = listed.match(/kB {2}\S+$/gm) ?? []
  expect(files.filter(file => file.includes('journal-')).length).toBeGreaterThan(10)
  expect(files.length).toBe(new Set(files).size)
  expect(statSync(String(archive)).mode & 0o777).toBe(0o600)
  expect(host.files.status(paths.supportBundle)).toBeUndefined()
  const members = membersOf(archive)
  for (const text of ['ETH0_IP: "192.0.2.7"', 'ONEAPP_COPILOT_PASSWORD: ', 'map $http_authorization'])
    expect(members).toContain(text)
})

it('none of the secrets is in it: as they are, URL-encoded, in hexadecimal or Base64 at any offset', async () => {
  const { archive } = await bundled()
  const haystacks = [membersOf(archive), gunzipSync(readFileSync(String(archive))).toString('latin1')]
  expect(Object.keys(canaries).length).toBeGreaterThan(20)
  const found = Object.entries(canaries).filter(([, secret]) => {
    const hex = Buffer.from(secret).toString('hex')
    const needles = [secret, encodeURIComponent(secret), hex, ...base64sOf(secret)]
    return haystacks.some(text => needles.some(needle => text.includes(needle)))
  })
  expect(found.map(([place]) => place)).toEqual([])
})

it('only lists with --list', async () => {
  const { host, listed, archive } = await bundled({ onlyList: true })
  expect(listed).toContain('status.json')
  expect(archive).toBeUndefined()
  expect(host.files.list('/root').filter(name => name.includes('support'))).toEqual([])
})

it('goes where --output says', async () => {
  const { host } = await bundled({ output: '/srv/bundle.tar.gz' })
  expect(host.files.status('/srv/bundle.tar.gz')?.mode).toBe(0o600)
})
