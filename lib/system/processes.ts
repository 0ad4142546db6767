/** Processes as /proc shows them (proc(5)). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs write their state into; undefined when it has ended. */
export const commandLineOf = ({ files }: Pick<Host, 'files'>, pid: number): string | undefined =>
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

/** Fields of a `stat` file of /proc after the name, which may hold anything: the state is the first. */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/** The states of a process's threads, by proc(5)'s letters; none when it has ended. */
export const threadStatesOf = ({ files }: Pick<Host, 'files'>, pid: number): string[] =>
  files
    .list(`/proc/${pid}/task`)
    .map(thread => files.read(`/proc/${pid}/task/${thread}/stat`))
    .filter(stat => stat !== undefined)
    .map(stat => fieldsOf(stat)[0] ?? '')

/** A thread in one of these states runs, waits for a CPU, or for a disk. */
export const workingStates = ['R', 'D']
/** Stopped by a signal; one that a debugger has stopped is `t`. */
export const stoppedState = 'T'

/** Whether one of a process's threads runs, waits for a CPU, or for a disk. Throws when it has ended. */
export function isWorking(host: Host, pid: number): boolean {
  const states = threadStatesOf(host, pid)
  if (states.length === 0) throw new Error(`process ${pid} has ended.`)
  return states.some(state => workingStates.includes(state))
}

/** Linux reports it in hundredths of a second, whatever the kernel's own clock (USER_HZ, time(7)). */
const ticksPerSecond = 100

/** Seconds of CPU time that a process has used; 0 when it has ended. */
export function cpuTimeOf({ files }: Pick<Host, 'files'>, pid: number): number {
  const stat = files.read(`/proc/${pid}/stat`)
  if (stat === undefined) return 0
  // utime and stime, the 14th and 15th field; the state is the third.
  const [user, system] = fieldsOf(stat).slice(11, 13).map(Number)
  return ((user ?? 0) + (system ?? 0)) / ticksPerSecond
}

/** Connections that a process's network namespace holds accepted on a unix socket. */
export function connectionsOf({ files }: Pick<Host, 'files'>, pid: number, socket: string): number {
  const lines = (files.read(`/proc/${pid}/net/unix`) ?? '').split('\n')
  // Num RefCount Protocol Flags Type St Inode Path; 03: connected.
  return lines.filter(line => line.endsWith(` ${socket}`) && line.split(/\s+/)[5] === '03').length
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
