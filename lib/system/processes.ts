/** Processes, as /proc tells of them: proc(5). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs write their state into; undefined when it has ended. */
export const titleOf = (host: Host, pid: number): string | undefined =>
  host.files.read(`/proc/${pid}/cmdline`) || undefined

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

/** Bytes of a process's memory that no file stands for; 0 when it has ended. */
export const anonymousBytesOf = (host: Host, pid: number): number =>
  Number(host.files.read(`/proc/${pid}/status`)?.match(/^RssAnon:\s+(\d+) kB/m)?.[1] ?? 0) * 1024
