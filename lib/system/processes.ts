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
