/** Processes, as /proc tells of them: proc(5). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs write their state into; undefined when it has ended. */
export const titleOf = (host: Host, pid: number): string | undefined =>
  host.files.read(`/proc/${pid}/cmdline`) || undefined

/** Whether one of a process's threads runs, waits for a CPU, or for a disk. Throws when it has ended. */
export function isWorking(host: Host, pid: number): boolean {
  const threads = host.files.list(`/proc/${pid}/task`)
  if (threads.length === 0) throw new Error(`process ${pid} has ended.`)
  const stats = threads.map(thread => host.files.read(`/proc/${pid}/task/${thread}/stat`) ?? '')
  // The state follows the name, which may hold anything.
  return stats.some(stat => /^\) [RD]/.test(stat.slice(stat.lastIndexOf(')'))))
}
