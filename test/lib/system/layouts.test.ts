/**
 * State files as each version has left them on disk: every later one must still understand those that no stage writes
 * anew before it reads them. A file of layouts/ is never changed once its version is released; a new version whose
 * files differ gets another.
 */
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { paths } from '../../../lib/appliance/paths.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { requireState, type StateFile } from '../../../lib/system/state-files.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const layouts = globSync(join(import.meta.dirname, 'layouts', '*.json')).map(path => ({
  version: basename(path, '.json'),
  files: JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>,
}))

/** A reboot clears /run, and configure writes the plan anew. */
const lasting = Object.values<StateFile<unknown>>(stateFiles).filter(
  ({ path }) => !path.startsWith('/run/') && path !== paths.plan,
)

describe.each(layouts)('version $version', ({ files }) => {
  it.each(Object.entries(files))('%s is understood', (path, value) => {
    const host = recordedHost()
    host.files.replace(path, JSON.stringify(value), 0o600)
    const file = lasting.find(each => each.path === path)
    if (file === undefined) throw new Error('a file that is not among the state files any more')
    expect(requireState(host, file)).toBeDefined()
    expect(host.lines).toEqual([])
  })
})

it('the newest layout has every state file that lasts', () => {
  const known = layouts.flatMap(({ files }) => Object.keys(files))
  expect(lasting.map(({ path }) => path).filter(path => !known.includes(path))).toEqual([])
})
