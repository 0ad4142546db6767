import { expect, it } from 'vitest'
import { hardwareNotes, hasAmx, loadNotes, severeNotes } from '../../../../lib/appliance/sizing/hardware.ts'
import { facts } from '../../../support/recorded-host.ts'

const cpu = (model: string | undefined, ...features: string[]) => ({ cpu: { model, features } })
const passthrough = 'CPU_MODEL = [ MODEL = "host-passthrough" ]'

/** `severe` and `others`: a part of each note, in order. */
type HardwareRow = { sees: object; threads?: number; severe?: string[]; others?: string[] }

it.each<HardwareRow>([
  { sees: {} },
  { sees: { hugePages: undefined } },
  { sees: cpu('QEMU Virtual CPU version 2.5+'), severe: ['(QEMU Virtual CPU version 2.5+) has no AVX2'] },
  {
    sees: cpu(undefined, 'avx'),
    severe: ['this VM sees has no AVX2, which makes inference about 20 times slower'],
  },
  { sees: cpu('Common KVM processor', 'avx', 'avx2'), others: ['generic CPU model (Common KVM processor)'] },
  { sees: cpu('Common 32-bit KVM processor', 'avx2'), others: ['generic CPU model'] },
  { sees: cpu('QEMU Virtual CPU version 2.5+', 'avx2'), others: ['generic CPU model'] },
  { sees: cpu('kvm64', 'avx2'), others: ['generic CPU model'] },
  { sees: cpu('QEMU TCG CPU version 2.5+', 'avx2'), others: ['emulated'] },
  { sees: cpu('AMD EPYC', 'avx2') },
  { sees: { cpus: 8, physicalCores: 4 }, threads: 4 },
  { sees: { cpus: 8, physicalCores: 4 }, threads: 5, others: ['5 threads on 4 physical cores'] },
  { sees: { cpus: 8, physicalCores: 4 }, threads: 8, others: ['ONEAPP_COPILOT_THREADS=0'] },
  // More threads than CPUs: the plan has a note on that.
  { sees: { cpus: 8, physicalCores: 4 }, threads: 9 },
  { sees: { hugePages: 'never' }, others: ['transparent_hugepage=madvise'] },
  { sees: { hugePages: 'madvise' } },
  {
    sees: { ...cpu('QEMU Virtual CPU version 2.5+'), hugePages: 'never' },
    threads: 6,
    severe: ['no AVX2'],
    others: ['6 threads', 'huge pages'],
  },
])('$sees with $threads threads: $severe $others', ({ sees, threads = 0, severe = [], others = [] }) => {
  const hardware = { ...facts, ...sees }
  const holding = (words: string[]) => words.map(word => expect.stringContaining(word))
  expect(severeNotes(hardware)).toEqual(holding(severe))
  expect(hardwareNotes(hardware, threads)).toEqual(holding(others))
})

it("names the template's line that exposes the host's CPU", () => {
  expect(severeNotes({ ...facts, ...cpu('qemu64') }).join()).toContain(passthrough)
  expect(hardwareNotes({ ...facts, ...cpu('qemu64', 'avx2') }, 0).join()).toContain(passthrough)
})

const memory = 32 * 2 ** 30
const load = (total: number, stolen: number, used = 0) => ({
  cpuTime: { total, stolen },
  swap: { size: 4 * 2 ** 30, used },
  memory,
})

it.each([
  // Time stolen before the first sample does not count.
  [load(9000, 5000), load(10_000, 5000), []],
  [load(9000, 0), load(10_000, 29), []],
  [load(9000, 0), load(10_000, 120), [/gave 12 % of this VM's CPU time .* CPU equal to VCPU/]],
  [load(9000, 0), load(9000, 0), []],
  [load(0, 0), load(1000, 0, 0.009 * memory), []],
  [load(0, 0), load(1000, 0, 2 ** 30), [/Swap is in use \(1\.0 GiB of 4\.0 GiB\).* Give it more/]],
  [load(0, 0), load(1000, 500, 2 ** 30), [/50 %/, /Swap/]],
])('between %j and %j', (before, after, notes) => {
  expect(loadNotes(before, after)).toEqual(notes.map(note => expect.stringMatching(note)))
})

const sapphireRapids = 'amx_bf16 amx_int8 amx_tile avx avx2 avx512_bf16 avx512_vnni avx512f avx512vbmi'.split(
  ' ',
)

it.each([
  ['all that its backend needs', sapphireRapids, true],
  ['AMX hidden by the hypervisor', sapphireRapids.filter(name => !name.startsWith('amx')), false],
  ['AMX without int8', sapphireRapids.filter(name => name !== 'amx_int8'), false],
  [
    'AMX without another feature that its backend needs',
    sapphireRapids.filter(name => name !== 'avx512_bf16'),
    false,
  ],
  ['only AVX2', ['avx', 'avx2'], false],
])('knows whether llama-server packs weights for AMX: %s', (_, features, packs) => {
  expect(hasAmx(features)).toBe(packs)
})
