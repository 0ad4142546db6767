/** The key that clients use is never replaced silently. */
import { expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { bootstrapAndFetch } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { tinyModel } from '../support/capacity.ts'
import type { RecordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

const supplied = 'the-key-in-force'
const inForce = (host: RecordedHost) => host.files.read(paths.password)?.trim()
/** Report and banner, with wrapped lines joined. */
const texts = (host: RecordedHost) =>
  [paths.report, paths.banner].map(path => host.files.read(path)?.replaceAll(/'? \\\n +'|\s+/g, ' '))

async function configuredHost() {
  const host = await servingHost({}, tinyModel)
  await configure({ ...host, env: { ONEAPP_COPILOT_PASSWORD: supplied } })
  host.lines.length = 0
  return host
}

it.each<[string, string, (host: RecordedHost) => void]>([
  ['is emptied', 'was empty', ({ files }) => files.replace(paths.password, '', 0o600)],
  ['holds white space', 'was empty', ({ files }) => files.replace(paths.password, ' \n\t\n', 0o600)],
  ['is missing', 'was missing', ({ files }) => files.remove(paths.password)],
  [
    'holds several lines',
    'did not hold a valid key',
    ({ files }) => files.replace(paths.password, 'one-key-0123\ntwo-key-0123\n', 0o600),
  ],
  [
    'holds NULs, as after a power cut',
    'did not hold a valid key',
    ({ files }) => files.replace(paths.password, '\0'.repeat(21), 0o600),
  ],
  [
    'is cut off',
    'did not hold a valid key',
    ({ files }) => files.replace(paths.password, supplied.slice(0, 5), 0o600),
  ],
])('if the file %s, another key is generated; log, report and banner say so', async (_, reason, damage) => {
  const host = await configuredHost()
  damage(host)
  await configure(host)
  expect(inForce(host)).not.toBe(supplied)
  expect(host.lines.join('\n')).toContain(`${paths.password} ${reason}.`)
  await bootstrapAndFetch(host, paths.report)
  for (const text of texts(host)) expect(text).toContain(`${paths.password} ${reason}.`)

  // The replacement is announced for a month, and the new key is kept.
  const key = inForce(host)
  const changes = await configure(host)
  expect(changes.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([])
  const later = (days: number) => () => new Date(host.now().getTime() + days * 86_400_000)
  host.lines.length = 0
  await configure({ ...host, now: later(29) })
  expect(host.lines.join('\n')).toContain('The key was replaced on 2026-02-14')
  host.lines.length = 0
  await configure({ ...host, now: later(31) })
  expect(host.lines.join('\n')).not.toContain('The key was replaced')
  expect(inForce(host)).toBe(key)
})

it('does not announce the first key, nor one from the context', async () => {
  const host = await servingHost({}, tinyModel)
  await configure(host)
  host.files.replace(paths.password, '', 0o600)
  await configure({ ...host, env: { ONEAPP_COPILOT_PASSWORD: supplied } })
  expect(host.lines.join('\n')).not.toContain('replaced on')
  expect(inForce(host)).toBe(supplied)
})

it.each([paths.password, paths.caKey])(
  'reports that others could read %s, and corrects its mode',
  async path => {
    const host = await configuredHost()
    const before = host.files.read(path)
    host.files.setMode(path, 0o644)
    await configure(host)
    expect(host.lines.join('\n')).toContain(`${path} was readable by others (mode 0644)`)
    expect(host.files.status(path)?.mode).toBe(0o600)
    expect(host.files.read(path)).toBe(before)
    host.lines.length = 0
    await configure(host)
    expect(host.lines.join('\n')).not.toContain('could be read')
  },
)

it('replaces a link by a file with the same key, and says so', async () => {
  const host = await configuredHost()
  host.files.replace('/var/lib/slm-copilot/elsewhere', `${supplied}\n`, 0o600)
  host.files.replaceLink(paths.password, 'elsewhere')
  await configure(host)
  expect(host.files.status(paths.password)).toMatchObject({ isLink: false, mode: 0o600 })
  expect(inForce(host)).toBe(supplied)
  expect(host.lines.join('\n')).toContain(`${paths.password} was a symbolic link`)
})

it('says what to do if the file is a folder', async () => {
  const host = await configuredHost()
  host.files.remove(paths.password)
  host.files.makeFolder(paths.password)
  await expect(configure(host)).rejects.toThrow(`${paths.password} is a folder, not a file with the key.`)
})
