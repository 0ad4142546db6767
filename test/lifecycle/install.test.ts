import { globSync, lstatSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { modelPath, paths } from '../../lib/appliance/paths.ts'
import { installLlamaCpp } from '../../lib/steps/models/release.ts'
import { rooted } from '../../lib/system/host.ts'
import { install } from '../../lifecycle/install.ts'
import { recordedHost } from '../support/recorded-host.ts'

/** Path, mode and ctime of everything under a folder; links have no mode of their own. */
const seen = (root: string) =>
  globSync('**/{*,.*}', { cwd: root })
    .sort()
    .map(path => ({ path, status: lstatSync(join(root, path)) }))
    .map(({ path, status }) => ({
      path,
      mode: status.isSymbolicLink() ? 'link' : (status.mode & 0o7777).toString(8),
      changed: status.ctimeMs,
    }))

it('installs packages, user, downloads and files in this order; a second run changes nothing', async () => {
  const host = recordedHost()
  await install(rooted(host), undefined)
  const acts = [
    'would run: apt-get',
    'would run: useradd',
    `would download ${productionRelease.llamaCpp.archive.url} to `,
    'would unpack ',
    `would download ${productionRelease.model.url} to `,
    `${paths.unit}: created`,
    'would run: systemctl enable',
    'would have llama-server load the model',
  ]
  const order = acts.map(act => host.lines.findIndex(line => line.startsWith(act)))
  expect(order).not.toContain(-1)
  expect(order).toEqual(order.toSorted((a, b) => a - b))
  expect(host.commands).toEqual([])

  const files = seen(host.root)
  await install(rooted(host), undefined)
  expect(seen(host.root)).toEqual(files)
})

it('downloads llama.cpp and the model from a mirror, and records where they were published', async () => {
  const host = recordedHost()
  await install(rooted(host), undefined, 'http://192.0.2.1:8080/files/')
  const downloads = host.lines.filter(line => line.startsWith('would download'))
  const names = [productionRelease.llamaCpp.archive, productionRelease.model].map(({ url }) => basename(url))
  expect(downloads).toEqual(
    names.map(name => expect.stringContaining(`would download http://192.0.2.1:8080/files/${name} to `)),
  )
  expect(JSON.parse(host.files.read(paths.release) ?? '')).toMatchObject({
    llamaCpp: productionRelease.llamaCpp,
    model: { url: productionRelease.model.url },
  })
})

it('removes the archive that a run which was killed before that has left', async () => {
  const host = recordedHost()
  const { llamaCpp } = productionRelease
  host.files.makeFolder(`${paths.releases}/${llamaCpp.tag}`)
  host.files.replace(`${paths.releases}/${llamaCpp.tag}.tar.gz`, 'unpacked already', 0o644)
  await installLlamaCpp(host, productionRelease)
  expect(host.files.list(paths.releases)).toEqual([llamaCpp.tag])
  expect(host.commands).toEqual([])
})

it('creates nothing world-writable, and keeps its state accessible to root only', async () => {
  const host = recordedHost()
  await install(rooted(host), undefined)
  const modes = Object.fromEntries(seen(host.root).map(({ path, mode }) => [`/${path}`, mode]))
  for (const [path, mode] of Object.entries(modes))
    expect([path, mode]).toEqual([path, expect.stringMatching(/^([67][0-7][0145]|link)$/)])
  expect(modes[paths.state]).toBe('700')
  expect(modes[paths.settings]).toBe('750')
  expect(modes[modelPath(productionRelease.model.name)]).toBeUndefined()
})

it('links the executable into the PATH once, whatever was there before', async () => {
  const host = recordedHost()
  host.files.replace(paths.command, 'an older one', 0o755)
  await install(rooted(host), undefined)
  expect(host.files.target(paths.command)).toBe(paths.executable)
  expect(host.lines).toContain(`${paths.command}: updated`)

  const logged = host.lines.length
  await install(rooted(host), undefined)
  expect(host.lines.slice(logged).filter(line => line.startsWith(paths.command))).toEqual([])
})

it.each([
  ['', 'is empty'],
  ['{', 'is damaged'],
  ['{}', 'was written by another version, or changed'],
])('rejects a release file with %j, and names it', async (text, why) => {
  const host = recordedHost()
  const named = { path: '/home/me/release.json', text }
  await expect(install(rooted(host), named)).rejects.toThrow(`--release /home/me/release.json ${why}`)
  expect(host.commands).toEqual([])
})
