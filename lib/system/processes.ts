/** Information about processes from /proc (proc(5)). */
import type { Host } from './host.ts'

/** The children of a process. */
export const childrenOf = (host: Host, pid: number): number[] =>
  (host.files.read(`/proc/${pid}/task/${pid}/children`) ?? '').split(' ').filter(Boolean).map(Number)

/** A process's command line, which some programs use to show their state; undefined if it has ended. */
export const commandLineOf = ({ files }: Pick<Host, 'files'>, pid: number): string | undefined =>
  files.read(`/proc/${pid}/cmdline`) || undefined

export type ResidentSet = {
  /** Bytes of anonymous memory. */
  anonymous: number
  /** Bytes mapped from files, which the kernel can evict and read again. */
  file: number
}

/** A process's resident memory; undefined if it has ended. */
export function residentSetOf({ files }: Pick<Host, 'files'>, pid: number): ResidentSet | undefined {
  const status = files.read(`/proc/${pid}/status`)
  const bytes = (field: string) =>
    Number(status?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm'))?.[1]) * 1024
  return status === undefined ? undefined : { anonymous: bytes('RssAnon'), file: bytes('RssFile') }
}

/** Fields of a /proc `stat` file after the program's name, which may contain anything; the first is the state. */
const fieldsOf = (stat: string): string[] => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/** States of a process's threads, as letters of proc(5); empty if it has ended. */
export const threadStatesOf = ({ files }: Pick<Host, 'files'>, pid: number): string[] =>
  files
    .list(`/proc/${pid}/task`)
    .map(thread => files.read(`/proc/${pid}/task/${thread}/stat`))
    .filter(stat => stat !== undefined)
    .map(stat => fieldsOf(stat)[0] ?? '')

/** Running or waiting for a CPU (R), or waiting for a disk (D). */
export const workingStates = ['R', 'D']
/** Stopped by a signal; a thread stopped by a debugger is in state `t`. */
export const stoppedState = 'T'

/** Whether any of a process's threads is working. Throws if the process has ended. */
export function isWorking(host: Host, pid: number): boolean {
  const states = threadStatesOf(host, pid)
  if (states.length === 0) throw new Error(`process ${pid} has ended.`)
  return states.some(state => workingStates.includes(state))
}

/** USER_HZ (time(7)): hundredths of a second, independent of the kernel's tick rate. */
const ticksPerSecond = 100

/** Seconds of CPU time used by a process; 0 if it has ended. */
export function cpuTimeOf({ files }: Pick<Host, 'files'>, pid: number): number {
  const stat = files.read(`/proc/${pid}/stat`)
  if (stat === undefined) return 0
  // utime and stime are the 14th and 15th fields; the state, here the first, is the third.
  const [user, system] = fieldsOf(stat).slice(11, 13).map(Number)
  return ((user ?? 0) + (system ?? 0)) / ticksPerSecond
}

/** Accepted connections on a unix socket in a process's network namespace. */
export function connectionsOf({ files }: Pick<Host, 'files'>, pid: number, socket: string): number {
  const lines = (files.read(`/proc/${pid}/net/unix`) ?? '').split('\n')
  // Num RefCount Protocol Flags Type St Inode Path; 03: connected.
  return lines.filter(line => line.endsWith(` ${socket}`) && line.split(/\s+/)[5] === '03').length
}

/** The environment that a process was started with. Throws if it has ended. */
export function environmentOf(host: Host, pid: number): Record<string, string> {
  const text = host.files.read(`/proc/${pid}/environ`)
  if (text === undefined) throw new Error(`process ${pid} has ended`)
  const entries = text.split('\0').filter(entry => entry.includes('='))
  return Object.fromEntries(entries.map(entry => entry.split(/=(.*)/s).slice(0, 2) as [string, string]))
}

/** The path of a process's executable. Throws if it has ended. */
export function programOf(host: Host, pid: number): string {
  const target = host.files.target(`/proc/${pid}/exe`)
  if (target === undefined) throw new Error(`process ${pid} has ended`)
  return target
}
