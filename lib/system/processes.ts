/** Processes, as /proc tells of them: proc(5). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs write their state into; undefined when it has ended. */
export const titleOf = ({ files }: Pick<Host, 'files'>, pid: number): string | undefined =>
  files.read(`/proc/${pid}/cmdline`) || undefined
