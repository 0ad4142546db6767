/** Parsers for kernel files about CPU, memory and NUMA nodes (proc(5), the kernel's admin guide). */

export type Cpu = {
  /** Model name; undefined if the kernel reports none. */
  model: string | undefined
  /** Instruction sets that llama.cpp has kernels for, by their Linux names, sorted. */
  features: string[]
}

export type HugePages = 'always' | 'madvise' | 'never'

const usedFeatures = /^(avx|avx2|fma|f16c|avx512\w+|avx_vnni|amx_\w+)$/

/** Parses the first CPU in /proc/cpuinfo; all CPUs are assumed to be alike. */
export function parseCpu(cpuinfo: string): Cpu {
  const model = cpuinfo.match(/^model name\s*: (.+)$/m)?.[1]?.trim()
  const flags = cpuinfo.match(/^flags\s*: (.+)$/m)?.[1]?.split(/\s+/) ?? []
  return { model, features: flags.filter(flag => usedFeatures.test(flag)).sort() }
}

/** Ticks of all CPUs since boot; `stolen`: those that the hypervisor gave to other machines. */
export type CpuTime = { total: number; stolen: number }

/** Parses /proc/stat. The last fields, guest time, are already included in user time. */
export function parseCpuTime(stat: string): CpuTime {
  const line = stat.match(/^cpu +(.+)$/m)?.[1] ?? ''
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, stolen = 0] = line
    .split(' ')
    .map(Number)
  return { total: user + nice + system + idle + wait + irq + softIrq + stolen, stolen }
}

/** In bytes. */
export type Swap = { size: number; used: number }

/** Parses /proc/meminfo. */
export function parseSwap(meminfo: string): Swap {
  const bytes = (name: string) =>
    1024 * Number(meminfo.match(new RegExp(`^${name}: +(\\d+) kB$`, 'm'))?.[1] ?? 0)
  const size = bytes('SwapTotal')
  return { size, used: size - bytes('SwapFree') }
}

/** Parses /sys/kernel/mm/transparent_hugepage/enabled; undefined if the kernel has no huge pages. */
export function parseHugePages(enabled: string | undefined): HugePages | undefined {
  const modes = ['always', 'madvise', 'never'] as const
  return modes.find(mode => enabled?.includes(`[${mode}]`))
}

/** Counts the numbers in a list such as `0-3,8`, the format of /sys/devices/system/node/online. */
export function countListed(list: string): number {
  const sizes = list
    .trim()
    .split(',')
    .map(range => range.split('-').map(Number))
    .map(([first = 0, last = first]) => last - first + 1)
  return sizes.reduce((sum, size) => sum + size, 0)
}
