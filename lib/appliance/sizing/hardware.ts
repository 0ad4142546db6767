/** Notes on what slows inference down on this machine, each with a remedy. */
import { variables } from '../context/variables.ts'
import { gibibytes } from './memory.ts'

export type Hardware = {
  cpu: { model: string | undefined; features: string[] }
  /** CPUs that threads can run on. */
  cpus: number
  /** Physical cores: hyper-threads not counted. */
  physicalCores: number
  /** The kernel's mode for transparent huge pages; undefined if it has none. */
  hugePages: 'always' | 'madvise' | 'never' | undefined
}

/** A sample of the machine's load. */
export type LoadSample = {
  /** Ticks of all CPUs since boot: the total, and those stolen by the host (proc_stat(5), steal). */
  cpuTime: { total: number; stolen: number }
  /** Bytes. */
  swap: { size: number; used: number }
  /** Bytes. */
  memory: number
}

/** The line in OpenNebula's VM template that exposes the host's own CPU to the VM. */
const passthrough = 'CPU_MODEL = [ MODEL = "host-passthrough" ]'

/** QEMU's generic CPU models. Even with AVX2 added they hide newer features. */
const genericModel = /^(QEMU Virtual CPU|Common( 32-bit)? KVM processor|qemu(32|64)|kvm(32|64))\b/i

/** Shares of CPU time stolen by the host, and of memory swapped out, above which speed suffers noticeably. */
const noticeableSteal = 0.03
const noticeableSwap = 0.01

const lacksAvx2 = ({ cpu }: Hardware) => !cpu.features.includes('avx2')

/** The CPU flags that llama.cpp's AMX backend needs (ggml/src/CMakeLists.txt). */
const amxFeatures = ['amx_int8', 'amx_tile', 'avx512_bf16', 'avx512_vnni', 'avx512f', 'avx512vbmi']

/** Whether llama-server packs weights for AMX here. */
export const hasAmx = (features: readonly string[]): boolean =>
  amxFeatures.every(feature => features.includes(feature))

/** Notes that an administrator must not miss: for report and login banner. */
export function severeNotes(hardware: Hardware): string[] {
  if (!lacksAvx2(hardware)) return []
  const { model } = hardware.cpu
  return [
    `The CPU that this VM sees${model === undefined ? '' : ` (${model})`} has no AVX2, which makes inference about 20 times slower. ` +
      `Add ${passthrough} to the VM template, and choose a host with AVX2.`,
  ]
}

/** The other notes; they hold until the next boot. `threads`: as requested, 0 for the default. */
export const hardwareNotes = (hardware: Hardware, threads: number): string[] => [
  ...cpuNotes(hardware),
  ...threadNotes(hardware, threads),
  ...hugePageNotes(hardware),
]

/** A CPU without AVX2 has a severe note, with the same fix. */
export function cpuNotes(hardware: Hardware): string[] {
  const { model = '' } = hardware.cpu
  if (model.startsWith('QEMU TCG'))
    return [`The CPU is emulated (${model}), which makes inference much slower. Choose a host with KVM.`]
  if (lacksAvx2(hardware) || !genericModel.test(model)) return []
  return [
    `The VM has a generic CPU model (${model}), which hides features of the host's CPU. ` +
      `Add ${passthrough} to the VM template.`,
  ]
}

/** More threads than CPUs are the subject of the plan's own notes. */
export function threadNotes({ cpus, physicalCores }: Hardware, threads: number): string[] {
  if (threads <= physicalCores || threads > cpus) return []
  return [
    `${threads} threads on ${physicalCores} physical cores: two threads on one core slow all others down. ` +
      `${variables.threads.name}=0 takes one for each core.`,
  ]
}

/** llama-server gets huge pages in the modes `always` and `madvise`: its allocator requests them. */
export function hugePageNotes({ hugePages }: Hardware): string[] {
  if (hugePages !== 'never') return []
  return [
    'Transparent huge pages are disabled. Boot the VM with transparent_hugepage=madvise on the kernel command line.',
  ]
}

const percent = (share: number) => `${Math.round(share * 100)} %`

/** Notes from two samples, taken before and after llama-server computed something. */
export function loadNotes(before: LoadSample, after: LoadSample): string[] {
  const elapsed = after.cpuTime.total - before.cpuTime.total
  const stolen = elapsed > 0 ? (after.cpuTime.stolen - before.cpuTime.stolen) / elapsed : 0
  const { swap, memory } = after
  return [
    ...(stolen < noticeableSteal
      ? []
      : [
          `The host gave ${percent(stolen)} of this VM's CPU time to other VMs while the speed was measured (steal time). ` +
            'Threads wait for each other, so the loss of speed is 5 to 10 times as large. ' +
            'Set CPU equal to VCPU in the VM template, or move the VM to a less busy host.',
        ]),
    ...(swap.used <= noticeableSwap * memory
      ? []
      : [
          `Swap is in use (${gibibytes(swap.used)} of ${gibibytes(swap.size)}): the VM is short of memory. ` +
            `Give it more, or reduce ${variables.contextSize.name}.`,
        ]),
  ]
}
