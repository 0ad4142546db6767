/** Facts about this machine. */
import { availableParallelism, hostname, networkInterfaces, totalmem } from 'node:os'
import { filesUnder } from './files.ts'
import {
  type Cpu,
  type CpuTime,
  countListed,
  type HugePages,
  parseCpu,
  parseCpuTime,
  parseHugePages,
  parseSwap,
  type Swap,
} from './kernel.ts'

/** `cidr`: such as 192.0.2.7/24. */
export type InterfaceAddress = { device: string; cidr: string }

export type Facts = {
  hostname: string
  /** IPv4 and IPv6 addresses, sorted as text, without loopback and link-local ones. */
  addresses: string[]
  hasIpv6: boolean
  /** The same addresses by their interfaces, with prefix lengths. */
  networks: InterfaceAddress[]
  cpus: number
  physicalCores: number
  /** Bytes of RAM. */
  memory: number
  cpu: Cpu
  cpuTime: CpuTime
  swap: Swap
  /** Mode of transparent huge pages; undefined if the kernel does not support them. */
  hugePages: HugePages | undefined
  numaNodes: number
}

/** Physical cores (hyper-threads not counted) in the text of /proc/cpuinfo; undefined if not listed. */
export function countPhysicalCores(cpuinfo: string): number | undefined {
  const field = (block: string, name: string) => block.match(new RegExp(`^${name}\\s*:\\s*(\\d+)`, 'm'))?.[1]
  const cores = cpuinfo
    .split('\n\n')
    .map(block => ({ socket: field(block, 'physical id'), core: field(block, 'core id') }))
    .filter(({ socket, core }) => socket !== undefined && core !== undefined)
    .map(({ socket, core }) => `${socket}:${core}`)
  return cores.length === 0 ? undefined : new Set(cores).size
}

/** Reads a few small kernel files, which takes about a millisecond. */
export function readFacts(): Facts {
  const { read } = filesUnder('/')
  const all = Object.entries(networkInterfaces()).flatMap(([device, addresses = []]) =>
    addresses.map(each => ({ ...each, device })),
  )
  const reachable = all.filter(({ internal, scopeid }) => !internal && !scopeid)
  const cpus = availableParallelism()
  const cpuinfo = read('/proc/cpuinfo') ?? ''
  return {
    hostname: hostname(),
    addresses: [...new Set(reachable.map(({ address }) => address))].sort(),
    networks: reachable.map(({ device, address, cidr }) => ({ device, cidr: cidr ?? address })),
    hasIpv6: all.some(({ family }) => family === 'IPv6'),
    cpus,
    physicalCores: countPhysicalCores(cpuinfo) ?? cpus,
    memory: totalmem(),
    cpu: parseCpu(cpuinfo),
    cpuTime: parseCpuTime(read('/proc/stat') ?? ''),
    swap: parseSwap(read('/proc/meminfo') ?? ''),
    hugePages: parseHugePages(read('/sys/kernel/mm/transparent_hugepage/enabled')),
    // Absent on kernels without NUMA support.
    numaNodes: countListed(read('/sys/devices/system/node/online') ?? '0'),
  }
}
