/** Time since boot, which no change of the clock affects. */
import type { Host } from './host.ts'

/** Seconds since boot. */
export const uptime = ({ files }: Pick<Host, 'files'>): number =>
  Number((files.read('/proc/uptime') ?? '0').split(' ')[0])
