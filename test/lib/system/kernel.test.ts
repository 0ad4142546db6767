import { expect, it } from 'vitest'
import { countListed, parseCpu, parseCpuTime, parseHugePages, parseSwap } from '../../../lib/system/kernel.ts'

/** A VM on a fourth-generation AMD EPYC; flags abridged. */
const epyc = `processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse4_2 avx f16c rdrand avx2 bmi2 avx512f avx512dq avx512_bf16 avx512_vnni gfni fma
bugs\t\t: sysret_ss_attrs null_seg

processor\t: 1
model name\t: AMD EPYC
`

/** qemu64, QEMU's default if the VM template names no CPU model. */
const qemu64 = `processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: QEMU Virtual CPU version 2.5+
flags\t\t: fpu de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat clflush mmx fxsr sse sse2 ht syscall nx lm nopl cpuid pni cx16 hypervisor lahf_lm svm 3dnowprefetch vmmcall
`

/** Sapphire Rapids; flags abridged. */
const xeon = `model name\t: Intel(R) Xeon(R) Platinum 8480+
flags\t\t: avx avx2 fma avx_vnni avx512_vnni avx512_fp16 amx_bf16 amx_tile amx_int8 vmx
vmx flags\t: vnmi preemption_timer invvpid ept_x_only
`

it.each([
  [
    'a VM on an EPYC',
    epyc,
    {
      model: 'AMD EPYC',
      features: ['avx', 'avx2', 'avx512_bf16', 'avx512_vnni', 'avx512dq', 'avx512f', 'f16c', 'fma'],
    },
  ],
  ['a generic model', qemu64, { model: 'QEMU Virtual CPU version 2.5+', features: [] }],
  [
    'a Xeon with AMX',
    xeon,
    {
      model: 'Intel(R) Xeon(R) Platinum 8480+',
      features: 'amx_bf16 amx_int8 amx_tile avx avx2 avx512_fp16 avx512_vnni avx_vnni fma'.split(' '),
    },
  ],
  ['nothing', '', { model: undefined, features: [] }],
])('reads the CPU of %s', (_, text, cpu) => {
  expect(parseCpu(text)).toEqual(cpu)
})

it('counts ticks, and those of guests only once', () => {
  const stat =
    'cpu  157775 26 16628 39117 480 0 81 281 100 5\ncpu0 78447 24 7997 20541 26 0 13 144 0 0\nctxt 1\n'
  expect(parseCpuTime(stat)).toEqual({
    total: 157_775 + 26 + 16_628 + 39_117 + 480 + 81 + 281,
    stolen: 281,
  })
})

it.each([
  [
    'SwapCached:          0 kB\nSwapTotal:       1048572 kB\nSwapFree:        1000000 kB\n',
    1_048_572,
    48_572,
  ],
  ['MemTotal:       24684084 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n', 0, 0],
  ['', 0, 0],
])('parses swap from %j', (meminfo, size, used) => {
  expect(parseSwap(meminfo)).toEqual({ size: size * 1024, used: used * 1024 })
})

it.each([
  ['[always] madvise never\n', 'always'],
  ['always [madvise] never\n', 'madvise'],
  ['always madvise [never]\n', 'never'],
  [undefined, undefined],
])('parses the mode of huge pages from %j', (enabled, mode) => {
  expect(parseHugePages(enabled)).toBe(mode)
})

it.each([
  ['0\n', 1],
  ['0-1\n', 2],
  ['0-3,8,10-11\n', 7],
])('counts the nodes in %j', (list, nodes) => {
  expect(countListed(list)).toBe(nodes)
})
