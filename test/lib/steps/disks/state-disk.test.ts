import { expect, it } from 'vitest'
import { useDisk } from '../../../../lib/steps/disks/state-disk.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const disk = { device: '/dev/vdc', label: 'COPILOT-STATE', type: 'ext4', uuid: '2222' }
const inUse = 'MMP: device currently active\n/dev/vdc: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.'

it.each<[string, number, string, RegExp]>([
  [
    'is damaged',
    4,
    'Superblock is wrong',
    /^\/dev\/vdc is damaged: Superblock is wrong To see more: e2fsck -n/,
  ],
  ['is mounted by another machine', 8, inUse, /is mounted by another machine/],
  ['could not be checked, since the check was killed', 137, '', /could not be checked/],
])('a disk that %s is not mounted', async (_, exitCode, stdout, reason) => {
  const host = recordedHost({}, command => {
    if (command.startsWith('findmnt ')) return { exitCode: 1 }
    return command.startsWith('e2fsck ') ? { exitCode, stdout } : undefined
  })
  expect(await useDisk(host, disk, '0.1.0')).toMatch(reason)
  expect(host.commands.filter(command => command.startsWith('mount '))).toEqual([])
})
