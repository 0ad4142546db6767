import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { BuildMachine } from '../../../packer/build/image/build-machine.ts'
import { commandsFor, missingFrom, warningsFor } from '../../../packer/build/image/requirements.ts'
import { parseSettings } from '../../../packer/build/image/settings.ts'

const GiB = 2 ** 30
const folder = (path: string, device: number, free: number, freed = 0) => ({
  path,
  device,
  free,
  freed,
  isWritable: true,
})
const ample: BuildMachine = {
  missing: [],
  canBeRoot: true,
  cpus: 8,
  memory: 32 * GiB,
  cache: folder('/cache', 1, 100 * GiB),
  output: folder('/dist', 1, 100 * GiB),
  withoutKvm: undefined,
  lacksForContainer: [],
}
const production = parseSettings({})

it('has nothing to say about a machine that has everything', () => {
  expect(missingFrom(ample, production)).toEqual([])
  expect(warningsFor(ample, production)).toEqual([])
})

it('names everything that is missing at once, with the remedy', () => {
  const bare = {
    ...ample,
    missing: ['packer', 'mmdebstrap'],
    canBeRoot: false,
    memory: 8 * GiB,
    cache: folder('/cache', 1, 20 * GiB),
    output: folder('/dist', 1, 20 * GiB),
  }
  expect(missingFrom(bare, production)).toEqual([
    "packer: in Debian's package packer; `make prepare` installs it",
    "mmdebstrap: in Debian's package mmdebstrap; `make prepare` installs it",
    expect.stringMatching(/^root: .*BASE_IMAGE$/),
    expect.stringMatching(/^disk space: \/cache has 21\.5 GB free and needs 69\.0 GB .*DISK.*compressed/),
    expect.stringMatching(/^memory: 8\.6 GB is available, and the bake needs 17\.\d GB \(or set MEMORY\)$/),
  ])
})

it('names each folder that cannot be written to', () => {
  const locked = {
    ...ample,
    cache: { ...ample.cache, isWritable: false },
    output: { ...ample.output, isWritable: false },
  }
  expect(missingFrom(locked, production)).toEqual([
    'folder: this user cannot write to /cache (or set SLM_COPILOT_CACHE)',
    'folder: this user cannot write to /dist (or set OUTPUT)',
  ])
})

it('counts each disk by itself', () => {
  const apart = { ...ample, cache: folder('/cache', 1, 60 * GiB), output: folder('/dist', 2, 10 * GiB) }
  expect(missingFrom(apart, production)).toEqual([
    expect.stringMatching(/^disk space: \/dist .* needs 15\.3 GB/),
  ])
})

it('counts what earlier results take as free', () => {
  const again = {
    ...ample,
    cache: folder('/cache', 1, 5 * GiB, 60 * GiB),
    output: folder('/dist', 1, 5 * GiB, 20 * GiB),
  }
  expect(missingFrom(again, production)).toEqual([])
})

it('says what makes it slow', () => {
  const slow = { ...ample, cpus: 2, withoutKvm: 'this user cannot open /dev/kvm' }
  expect(warningsFor(slow, { ...production, baseImage: 'disk' })).toEqual([
    expect.stringMatching(/^no KVM \(this user cannot open \/dev\/kvm\): QEMU emulates/),
    "the VM's 4 vCPUs share 2 CPUs",
  ])
})

describe('without KVM', () => {
  const withoutKvm = { ...ample, cpus: 2, withoutKvm: 'no /dev/kvm' }

  it('says that the image is baked in a container, where the number of vCPUs means nothing', () => {
    expect(warningsFor(withoutKvm, production)).toEqual([
      'no KVM (no /dev/kvm): the image is baked in a container',
    ])
  })

  const lacking = { ...withoutKvm, lacksForContainer: ['/dev/net/tun'] }
  it.each<[string, BuildMachine, object, string[]]>([
    [
      'names what a container needs',
      lacking,
      {},
      ['/dev/net/tun: the container in which the image is baked needs it'],
    ],
    ['does not need it with a base image, which is baked in a VM', lacking, { baseImage: 'disk' }, []],
    ['does not need it with KVM', { ...lacking, withoutKvm: undefined }, {}, []],
  ])('%s', (_, machine, settings, missing) => {
    expect(missingFrom(machine, { ...production, ...settings })).toEqual(missing)
  })
})

it('needs the tools of a base image only to make one, and those of signatures only to sign', () => {
  const tools = (settings: object) => Object.keys(commandsFor({ ...production, ...settings }))
  expect(tools({})).toContain('mmdebstrap')
  expect(tools({})).not.toContain('minisign')
  expect(tools({ signKey: 'key', baseImage: 'disk' })).toContain('minisign')
  expect(tools({ signKey: 'key', baseImage: 'disk' })).not.toContain('mmdebstrap')
})

it('names packages that `make prepare` installs, or that every Debian has', () => {
  const script = readFileSync('packer/build/prerequisites.sh', 'utf8')
  const packages = Object.values(commandsFor({ ...production, signKey: 'key' }))
  expect(packages.filter(name => name !== 'util-linux' && !script.includes(name))).toEqual([])
})
