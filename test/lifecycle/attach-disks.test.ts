import { describe, expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { paths, units } from '../../lib/appliance/paths.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { readState, writeState } from '../../lib/system/state-files.ts'
import { attachDisks, disksLink, needsAttaching, noticeDisks } from '../../lifecycle/attach-disks.ts'
import { configure } from '../../lifecycle/configure.ts'
import { reconfigure } from '../../lifecycle/current-context.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

const models = 'DEVNAME=/dev/vdb\nLABEL=COPILOT-MODELS\nUUID=1111\nTYPE=ext4\n'
const state = 'DEVNAME=/dev/vdc\nLABEL=COPILOT-STATE\nUUID=2222\nTYPE=ext4\n'
const system = 'DEVNAME=/dev/vda1\nLABEL=root\nUUID=3333\nTYPE=ext4\n'

/** A host with these disks; `mounted`: of the folders for them, with the device. */
function hostWith(disks: string[], mounted: Record<string, string> = {}) {
  const host = recordedHost({}, command => {
    if (command.startsWith('blkid ')) return { stdout: disks.join('\n') }
    if (!command.startsWith('findmnt ')) return undefined
    const device = Object.entries(mounted).find(([folder]) => command.endsWith(folder))?.[1]
    return { exitCode: device === undefined ? 1 : 0, stdout: device ?? '' }
  })
  for (const folder of ['/run', '/opt/slm-copilot']) host.files.makeFolder(folder)
  return host
}

type Case = [string, string[], Record<string, string>, Parameters<typeof writeState>[2] | undefined, boolean]

describe('configure has disks attached', () => {
  it.each<Case>([
    ['no disk of the appliance', [system], {}, undefined, false],
    ['a disk with models', [system, models], {}, undefined, true],
    ['one that is mounted', [models], { [paths.modelsDisk]: '/dev/vdb' }, undefined, false],
    ['one that is gone', [system], { [paths.modelsDisk]: '/dev/vdb' }, undefined, true],
    ['a disk with the state', [state], {}, undefined, true],
    [
      'one that is mounted, whose folders may not be',
      [state],
      { [paths.stateDisk]: '/dev/vdc' },
      undefined,
      true,
    ],
    ['one that was refused before', [system], {}, { notes: [], refusal: 'It is damaged.' }, true],
    ['one that was warned of before', [system], {}, { notes: ['Several disks.'] }, true],
  ])('%s', async (_, disks, mounted, before, isNeeded) => {
    const host = hostWith(disks, mounted)
    if (before !== undefined) writeState(host, stateFiles.disks, before as never)
    expect(await needsAttaching(host)).toBe(isNeeded)
  })
})

it('a disk with models that cannot be unmounted does not keep the state from being attached', async () => {
  const host = recordedHost({}, command => {
    if (command.startsWith('blkid ')) return { stdout: state }
    if (command.startsWith('findmnt ') && command.endsWith(paths.modelsDisk)) return { stdout: '/dev/vdb' }
    if (command.startsWith('umount ')) return { exitCode: 32, stderr: 'umount: not permitted' }
    return undefined
  })
  for (const folder of ['/run', '/opt/slm-copilot', paths.stateDisk]) host.files.makeFolder(folder)
  await attachDisks(host)
  const { notes, state: used, refusal } = readState(host, stateFiles.disks) ?? {}
  expect(notes).toEqual([
    expect.stringMatching(/^The disk with models cannot be used: .*umount: not permitted/s),
  ])
  expect({ used, refusal }).toEqual({ used: { device: '/dev/vdc', uuid: '2222' }, refusal: undefined })
})

it.each([
  [{ notes: [] }, false],
  [{ notes: [], models: { source: '/dev/vdb' } }, true],
  [{ notes: [], state: { device: '/dev/vdc', uuid: '2222' } }, true],
])('with %j, disks are mounted at boot: %s', (disks, isEnabled) => {
  const host = hostWith([])
  writeState(host, stateFiles.disks, disks)
  expect('link' in disksLink(host)).toBe(isEnabled)
})

it('at boot a disk is mounted that held the state before, even if it could not be used since', () => {
  const host = hostWith([])
  writeState(host, stateFiles.usedDisk, { uuid: '2222' })
  expect('link' in disksLink(host)).toBe(true)
})

it('a disk that comes while running is mounted before the stages run', async () => {
  const host = hostWith([models])
  await noticeDisks(host)
  expect(host.commands.filter(command => command.startsWith('systemctl '))).toEqual([
    `systemctl start ${units.disks}`,
    `systemctl start --no-block ${units.reconfigure}`,
  ])
})

it('any other disk is none of its business', async () => {
  const host = hostWith([system])
  await noticeDisks(host)
  expect(host.commands.filter(command => command.startsWith('systemctl '))).toEqual([])
})

it('after such a change a pending model is fetched', async () => {
  const env = { ONEAPP_COPILOT_MODEL: 'qwen2.5-coder-3b' }
  const small = () => ({ ...facts, memory: 8 * GiB })
  const host = await servingHost({ env, facts: small }, productionRelease.model)
  await configure(host)
  host.commands.length = 0
  await reconfigure(host).catch(() => undefined)
  expect(host.commands.at(-1)).toBe(`systemctl restart --no-block ${units.model}`)
})
