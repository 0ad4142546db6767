import { expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { install } from '../../lifecycle/install.ts'
import { recordedHost } from '../support/recorded-host.ts'

it('links the executable into the PATH, once, whatever stood there', async () => {
  const host = recordedHost({ isLive: false })
  host.files.replace(paths.command, 'an older one', 0o755)
  await install(host, undefined)
  expect(host.files.target(paths.command)).toBe(paths.executable)
  expect(host.lines).toContain(`${paths.command}: updated`)

  const told = host.lines.length
  await install(host, undefined)
  expect(host.lines.slice(told).filter(line => line.startsWith(paths.command))).toEqual([])
})

it.each([
  ['', 'is empty'],
  ['{', 'is damaged'],
  ['{}', 'was written by another version, or changed'],
])('refuses a release file that holds %j, and names it', async (text, why) => {
  const host = recordedHost({ isLive: false })
  const named = { path: '/home/me/release.json', text }
  await expect(install(host, named)).rejects.toThrow(`--release /home/me/release.json ${why}`)
  expect(host.commands).toEqual([])
})
