/** What processes have used so far. */
import { filesUnder } from '../../../lib/system/files.ts'
import { cpuTimeOf, residentSetOf } from '../../../lib/system/processes.ts'

const host = { files: filesUnder('/') }

/** Bytes of anonymous memory, and seconds of CPU time, of all together. */
export type Usage = { bytes: number; seconds: number }

export const usedBy = (pids: number[]): Usage => ({
  bytes: pids.reduce((sum, pid) => sum + (residentSetOf(host, pid)?.anonymous ?? 0), 0),
  seconds: pids.reduce((sum, pid) => sum + cpuTimeOf(host, pid), 0),
})

/** What has been used since. */
export const since = (before: Usage, pids: number[]): Usage => {
  const now = usedBy(pids)
  return { bytes: now.bytes - before.bytes, seconds: now.seconds - before.seconds }
}
