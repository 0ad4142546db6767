/** A CPU quota for a process, as systemd's CPUQuota= sets it: the kernel's control groups, version 1 or 2. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const mounted = '/sys/fs/cgroup'
/** Version 1 has a hierarchy of its own for the CPU. */
const versionOne = join(mounted, 'cpu')

/** Microseconds: the longest period and the shortest run in it that the kernel takes. */
const period = 1_000_000
const shortest = 1000

const processesIn = (folder: string) => join(folder, 'cgroup.procs')

/** Leaves a process a thousandth of a CPU, until the function that comes back is called. Needs root. */
export function limitCpu(pid: number): () => Promise<void> {
  const isOne = existsSync(join(versionOne, 'cgroup.procs'))
  const parent = isOne ? versionOne : mounted
  const folder = join(parent, `slm-copilot-${pid}`)
  mkdirSync(folder)
  if (isOne) {
    writeFileSync(join(folder, 'cpu.cfs_period_us'), String(period))
    writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(shortest))
  } else writeFileSync(join(folder, 'cpu.max'), `${shortest} ${period}`)
  writeFileSync(processesIn(folder), String(pid))
  return async () => {
    writeFileSync(processesIn(parent), String(pid))
    // A group lasts as long as a process is in it, a moment longer than one that leaves.
    while (readFileSync(processesIn(folder), 'utf8') !== '') await setTimeout(50)
    rmdirSync(folder)
  }
}
