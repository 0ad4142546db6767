/** Time since boot, which no change of the clock affects. */
import type { Host } from './host.ts'

/** Seconds since boot. */
export const uptime = ({ files }: Pick<Host, 'files'>): number =>
  Number((files.read('/proc/uptime') ?? '0').split(' ')[0])

/** What the clock, as it is set now, said or will say at so many seconds since boot. */
export const clockAt = (host: Pick<Host, 'files' | 'now'>, seconds: number): Date =>
  new Date(host.now().getTime() + (seconds - uptime(host)) * 1000)
