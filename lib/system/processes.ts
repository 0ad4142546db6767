/** Processes, as /proc tells of them: proc(5). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs write their state into; undefined when it has ended. */
export const titleOf = ({ files }: Pick<Host, 'files'>, pid: number): string | undefined =>
  files.read(`/proc/${pid}/cmdline`) || undefined

export type ResidentSet = {
  /** Bytes that stand in memory alone. */
  anonymous: number
  /** Bytes mapped from files, which the kernel may read again. */
  file: number
}

/** What a process has in memory; undefined when it has ended. */
export function residentSetOf({ files }: Pick<Host, 'files'>, pid: number): ResidentSet | undefined {
  const status = files.read(`/proc/${pid}/status`)
  const bytes = (field: string) =>
    Number(status?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1]) * 1024
  return status === undefined ? undefined : { anonymous: bytes('RssAnon'), file: bytes('RssFile') }
}

/** Whether one of a process's threads runs, waits for a CPU, or for a disk. Throws when it has ended. */
export function isWorking(host: Host, pid: number): boolean {
  const threads = host.files.list(`/proc/${pid}/task`)
  if (threads.length === 0) throw new Error(`process ${pid} has ended.`)
  const stats = threads.map(thread => host.files.read(`/proc/${pid}/task/${thread}/stat`) ?? '')
  // The state follows the name, which may hold anything.
  return stats.some(stat => /^\) [RD]/.test(stat.slice(stat.lastIndexOf(')'))))
}

/** The variables that a process was started with. Throws when it has ended. */
export function environmentOf(host: Host, pid: number): Record<string, string> {
  const text = host.files.read(`/proc/${pid}/environ`)
  if (text === undefined) throw new Error(`process ${pid} has ended`)
  const entries = text.split('\0').filter(entry => entry.includes('='))
  return Object.fromEntries(entries.map(entry => entry.split(/=(.*)/s).slice(0, 2) as [string, string]))
}

/** The file of the program that a process runs. Throws when it has ended. */
export function programOf(host: Host, pid: number): string {
  const target = host.files.target(`/proc/${pid}/exe`)
  if (target === undefined) throw new Error(`process ${pid} has ended`)
  return target
}
