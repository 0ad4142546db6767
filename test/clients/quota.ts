/** A CPU quota for a process, as with systemd's CPUQuota=: control groups, version 1 or 2. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

const mounted = '/sys/fs/cgroup'
/** Version 1 has a separate hierarchy for the CPU. */
const versionOne = join(mounted, 'cpu')

/** In microseconds: the longest period, and the shortest quota per period, that the kernel accepts. */
const period = 1_000_000
const shortest = 1000

const processesIn = (folder: string) => join(folder, 'cgroup.procs')

/** Limits a process to a thousandth of a CPU until the returned function is called. Needs root. */
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
    // The group can only be removed once the kernel has moved the process out of it.
    while (readFileSync(processesIn(folder), 'utf8') !== '') await setTimeout(50)
    rmdirSync(folder)
  }
}
