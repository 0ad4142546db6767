import { describe, expect, it } from 'vitest'
import {
  type AttachedDisk,
  decideModels,
  decideState,
  diskLabels,
  parseBlkid,
  type StateFacts,
} from '../../../../lib/appliance/disks/disks.ts'
import { foreignFiles, stampOf, stampProblem } from '../../../../lib/appliance/disks/state.ts'

it('parses what blkid exports', () => {
  const text = `DEVNAME=/dev/vdb\nLABEL=COPILOT-MODELS\nUUID=1-2\nBLOCK_SIZE=4096\nTYPE=ext4\n\nDEVNAME=/dev/vdc\nTYPE=swap\n`
  expect(parseBlkid(text)).toEqual([
    { device: '/dev/vdb', label: 'COPILOT-MODELS', type: 'ext4', uuid: '1-2' },
    { device: '/dev/vdc', label: '', type: 'swap', uuid: '' },
  ])
  expect(parseBlkid('')).toEqual([])
  expect(parseBlkid('DEVNAME=/dev/vdb\nLABEL=a=b\n \nDEVNAME=/dev/vdc')).toEqual([
    { device: '/dev/vdb', label: 'a=b', type: '', uuid: '' },
    { device: '/dev/vdc', label: '', type: '', uuid: '' },
  ])
})

const disk = (device: string, label: string, others: Partial<AttachedDisk> = {}): AttachedDisk => ({
  device,
  label,
  type: 'ext4',
  uuid: `uuid of ${device}`,
  ...others,
})

describe('the disk with models', () => {
  const vdb = disk('/dev/vdb', diskLabels.models, { type: 'iso9660' })
  const vdc = disk('/dev/vdc', diskLabels.models)
  it.each<[string, AttachedDisk[], string | undefined, object]>([
    ['none', [disk('/dev/vda1', '')], undefined, { do: 'nothing' }],
    ['one', [disk('/dev/vda1', ''), vdb], undefined, { do: 'mount', disk: vdb }],
    [
      'several',
      [vdb, vdc],
      undefined,
      { do: 'mount', disk: vdb, note: expect.stringMatching(/vdb is used, and not .*vdc/) },
    ],
    ['mounted', [vdb], '/dev/vdb', { do: 'nothing' }],
    ['mounted, and gone', [disk('/dev/vda1', '')], '/dev/vdb', { do: 'unmount' }],
    ['a virtiofs share', [], 'models', { do: 'nothing' }],
  ])('%s', (_, disks, mounted, decision) => {
    expect(decideModels(disks, mounted)).toEqual(decision)
  })
})

describe('the disk with the state', () => {
  const vdb = disk('/dev/vdb', diskLabels.state)
  const named = (signatures: string[]) => ({ name: 'vdb', device: '/dev/vdb', signatures })
  const facts: StateFacts = {
    disks: [disk('/dev/vda1', '')],
    mounted: undefined,
    named: undefined,
    used: undefined,
  }
  it.each<[string, Partial<StateFacts>, object]>([
    ['none', {}, { do: 'nothing' }],
    ['labelled', { disks: [vdb] }, { do: 'use', disk: vdb }],
    ['the one used before', { disks: [vdb], used: vdb.uuid }, { do: 'use', disk: vdb }],
    ['mounted already', { disks: [vdb], mounted: '/dev/vdb' }, { do: 'nothing' }],
    ['empty and named', { named: named([]) }, { do: 'format', device: '/dev/vdb' }],
    ['named and labelled', { disks: [vdb], named: named(['ext4']) }, { do: 'use', disk: vdb }],
  ])('%s', (_, found, decision) => {
    expect(decideState({ ...facts, ...found })).toEqual(decision)
  })
  it.each<[string, Partial<StateFacts>, RegExp]>([
    [
      'two labelled',
      { disks: [vdb, disk('/dev/vdc', diskLabels.state)] },
      /2 disks .*vdb, \/dev\/vdc\. Detach/,
    ],
    ['no file system', { disks: [{ ...vdb, type: '' }] }, /vdb \(no file system, labelled .* takes ext4/],
    ['another file system', { disks: [{ ...vdb, type: 'vfat' }] }, /vfat, labelled COPILOT-STATE\) cannot/],
    [
      'another than before',
      { disks: [vdb], used: 'x' },
      /UUID uuid of \/dev\/vdb, but .* with x\. Attach that/,
    ],
    ['not there any more', { used: 'x' }, /UUID x\), which is not attached\. Attach it; .* rm \/opt/],
    ['not there any more, and an empty one', { used: 'x', named: named([]) }, /which is not attached/],
    ['named, but not there', { named: { name: 'vdz', device: undefined, signatures: [] } }, /no disk vdz/],
    ['named, with a file system', { named: named(['xfs']) }, /not empty: it has xfs, and is not formatted/],
    ['named, with partitions', { named: named(['gpt', 'PMBR']) }, /has gpt, PMBR, and is not formatted/],
  ])('refuses: %s', (_, found, reason) => {
    const decision = decideState({ ...facts, ...found })
    expect(decision).toEqual({ do: 'refuse', reason: expect.stringMatching(reason) })
  })
})

it.each([
  ['0.2.0', '0.2.0', false, true],
  ['0.1.0', '0.2.0', false, true],
  ['0.2.0', '0.1.0', false, false],
  ['0.2.0', '0.1.0', true, true],
])('a state of %s, by %s, own: %s', (written, version, isOwn, may) => {
  const problem = stampProblem(stampOf(written), version, isOwn)
  if (may) expect(problem).toBeUndefined()
  else
    expect(problem).toBe(
      'The state was written by version 0.2.0, and this is 0.1.0: an older version may not understand it. Boot an image of 0.2.0 or newer.',
    )
})

it('refuses a newer arrangement, even its own', () => {
  expect(stampProblem({ layout: 2, version: '0.1.0' }, '0.1.0', true)).toMatch(/^The state was written/)
})

it('knows what an interrupted copy has left from what is not ours', () => {
  expect(foreignFiles(['lost+found', '.state.new', 'certificates', 'holiday.jpg'])).toEqual(['holiday.jpg'])
})
