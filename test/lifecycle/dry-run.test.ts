/** A dry run changes no byte, mode or time on a machine, whatever its state. */
import {
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { type Host, openHost, readOnly } from '../../lib/system/host.ts'
import { bootstrapAndFetch } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { install } from '../../lifecycle/install.ts'
import { renew } from '../../lifecycle/renew.ts'
import { tinyModel } from '../support/capacity.ts'
import type { RecordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

/** Everything under a folder, with every attribute that a change would alter. */
const snapshot = (root: string) =>
  ['.', ...globSync('**/{*,.*}', { cwd: root })].sort().map(path => {
    const { mode, uid, size, mtimeMs, ctimeMs, ino } = lstatSync(join(root, path))
    const status = lstatSync(join(root, path))
    const content = status.isSymbolicLink()
      ? readlinkSync(join(root, path))
      : status.isFile()
        ? readFileSync(join(root, path), 'base64')
        : ''
    return { path, mode, uid, ino, mtimeMs, ctimeMs, content, size }
  })

const stages: Record<string, (host: Host) => Promise<unknown>> = {
  install: host => install(host, undefined),
  configure: host => configure(host),
  bootstrap: host => bootstrapAndFetch(host, paths.report),
  renew,
}

const domain = { ONEAPP_COPILOT_DOMAIN: 'copilot.example.com' }
const asked = { ...domain, ONEAPP_COPILOT_CONTEXT_SIZE: '4096', ONEAPP_COPILOT_PASSWORD: 'another-password' }

/** The folders that an interrupted attempt of certbot leaves behind. */
function leaveCertbotFolders(host: Host) {
  const name = 'copilot.example.com-at-acme-v02.api.letsencrypt.org-directory'
  host.files.replace(`${paths.certbot}/live/${name}/README`, 'x', 0o644)
  host.files.replace(`${paths.certbot}/renewal/${name}.conf`, 'x', 0o644)
}

/** Gives nginx a worker, which a reload that is only listed does not replace. */
function startWorker(host: Host) {
  host.files.replace('/proc/42/task/42/children', '43 ', 0o444)
  host.files.replace('/proc/43/cmdline', 'nginx: worker process', 0o444)
}

const states: Record<string, (host: RecordedHost) => Promise<unknown>> = {
  'as baked': async () => {},
  'configured, not started': host => configure({ ...host, env: domain }),
  serving: async host => {
    await configure({ ...host, env: {} })
    await bootstrapAndFetch(host, paths.report)
  },
  'serving, with a domain to come': async host => {
    await configure({ ...host, env: {} })
    await bootstrapAndFetch(host, paths.report)
    await configure({ ...host, env: domain })
    leaveCertbotFolders(host)
    startWorker(host)
  },
}

const cases = Object.keys(states).flatMap(state => Object.keys(stages).map(stage => ({ state, stage })))

it.each(cases)('$stage on a machine $state', async ({ state, stage }) => {
  const host = await servingHost({}, tinyModel)
  await states[state]?.(host)
  const before = snapshot(host.root)
  const commands = host.commands.length
  const { lines } = host
  const dry = readOnly({ ...host, env: asked, now: () => new Date('2026-12-24T10:00:00Z') })
  await stages[stage]?.(dry).catch((error: Error) => {
    // What has not been configured yet cannot be started or renewed.
    expect(error.message).toMatch(/run `slm-copilot configure --context-file /)
    expect(['as baked/bootstrap', 'as baked/renew']).toContain(`${state}/${stage}`)
  })
  expect(snapshot(host.root)).toEqual(before)
  const changing = /^(systemctl (?!show)|nginx (?!-v)|apt-get|env|useradd|aria2c|tar|chown)/
  expect(host.commands.slice(commands).filter(command => changing.test(command))).toEqual([])
  if (stage === 'bootstrap' && state === 'serving, with a domain to come')
    expect(lines.join('\n')).toMatch(
      /would request a certificate for copilot\.example\.com from Let's Encrypt/,
    )
})

it('leaves everything to do for the real bootstrap that follows', async () => {
  const host = await servingHost({}, tinyModel)
  await configure({ ...host, env: domain })
  await bootstrapAndFetch(readOnly(host), paths.report)
  expect([paths.proven, paths.attempts, paths.report].map(path => host.files.status(path))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  await bootstrapAndFetch(host, paths.report)
  expect(host.files.status(paths.proven)).toBeDefined()
})

it.each([
  ['', /is empty/],
  ['  ', /is empty/],
  ['/', /this machine itself/],
  ['//', /this machine itself/],
  ['/tmp/..', /this machine itself/],
  ['/nonexistent/folder', /the folder does not exist/],
  ['/etc/hostname', /the folder does not exist/],
])('rejects %j as a root', (root, words) => {
  expect(() => openHost({ env: {}, root })).toThrow(words)
})

it('rejects a link to / as a root, and accepts a relative path', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-root-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  symlinkSync('/', join(folder, 'all'))
  expect(() => openHost({ env: {}, root: join(folder, 'all') })).toThrow(/this machine itself/)
  mkdirSync(join(folder, 'root'))
  const before = process.cwd()
  process.chdir(folder)
  const host = openHost({ env: {}, root: 'root' })
  process.chdir(before)
  expect(host.files.at('/etc')).toBe(join(folder, 'root/etc'))
})
