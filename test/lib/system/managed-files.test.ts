import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { readOnly } from '../../../lib/system/host.ts'
import { applyFiles, type ManagedFile } from '../../../lib/system/managed-files.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const files: ManagedFile[] = [
  { path: '/etc/a/folder', mode: 0o750, folder: true },
  { path: '/etc/a/secret', mode: 0o600, text: 'key\n' },
  { path: '/etc/a/current', link: 'folder' },
  { path: '/etc/a/gone', absent: true },
]
const outcomes = async (host: Parameters<typeof applyFiles>[0], wanted = files) =>
  (await applyFiles(host, wanted)).map(({ outcome }) => outcome)

it('writes files that differ, and nothing the second time', async () => {
  const host = recordedHost()
  expect(await outcomes(host)).toEqual(['created', 'created', 'created', 'unchanged'])
  const written = lstatSync(host.files.at('/etc/a/secret'))
  expect(written.mode & 0o777).toBe(0o600)
  expect(await outcomes(host)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged'])
  expect(lstatSync(host.files.at('/etc/a/secret')).mtimeMs).toBe(written.mtimeMs)
  expect(readdirSync(host.files.at('/etc/a')).sort()).toEqual(['current', 'folder', 'secret'])
})

it('updates a text, a mode and a link, and removes what must not be there', async () => {
  const host = recordedHost()
  await applyFiles(host, files)
  writeFileSync(host.files.at('/etc/a/gone'), '')
  const changed: ManagedFile[] = [
    { path: '/etc/a/folder', mode: 0o700, folder: true },
    { path: '/etc/a/secret', mode: 0o640, text: 'key\n' },
    { path: '/etc/a/current', link: 'elsewhere' },
    { path: '/etc/a/gone', absent: true },
  ]
  expect(await outcomes(host, changed)).toEqual(['updated', 'updated', 'updated', 'removed'])
  expect(await outcomes(host, changed)).toEqual(['unchanged', 'unchanged', 'unchanged', 'unchanged'])
})

it('removes the temporary files that killed processes have left behind, and those of no other', async () => {
  const host = recordedHost()
  await applyFiles(host, files)
  const before = readdirSync(host.files.at('/etc/a'))
  // No process has an ID above pid_max, at most 4194304 (proc_sys_kernel(5)).
  const ended = ['secret.4194305.new', `secret.${process.pid}.new`]
  const others = [
    'secret.1.new',
    'secret.new',
    'secret.x.new',
    'secretly.4194305.new',
    'a-secret.4194305.new',
  ]
  for (const name of [...ended, ...others]) writeFileSync(host.files.at(`/etc/a/${name}`), 'ha')
  await applyFiles(host, [{ path: '/etc/a/secret', mode: 0o600, text: 'other\n' }])
  expect(readFileSync(host.files.at('/etc/a/secret'), 'utf8')).toBe('other\n')
  expect(readdirSync(host.files.at('/etc/a')).sort()).toEqual([...before, ...others].sort())
})

it('reports what could not be written, and leaves no temporary file behind', () => {
  const host = recordedHost()
  host.files.replace('/etc/a/inside', 'x', 0o600)
  expect(() => host.files.replace('/etc/a', 'x', 0o600)).toThrow(
    /^\/etc\/a could not be written: .*run this again/,
  )
  expect(host.files.list('/etc')).toEqual(['a'])
})

it('changes nothing in a dry run, and shows no secret', async () => {
  const host = recordedHost()
  expect(await outcomes(readOnly(host))).toEqual(['created', 'created', 'created', 'unchanged'])
  expect(readdirSync(host.root)).toEqual([])
  expect(host.lines.join('\n')).toContain('/etc/a/secret: would be created')
  expect(host.commands).toEqual([])
})
