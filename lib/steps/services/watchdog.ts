/** Observes services for the watchdog, and kills one that has hung. */
import { setTimeout as sleep } from 'node:timers/promises'
import { healthUrl, modelServices, paths, ports, queueUrl, units } from '../../appliance/paths.ts'
import { companionKinds } from '../../appliance/requests/services.ts'
import { type Observation, type Reply, replyTimeout } from '../../appliance/services/watchdog.ts'
import type { Host } from '../../system/host.ts'
import {
  childrenOf,
  connectionsOf,
  cpuTimeOf,
  stoppedState,
  threadStatesOf,
  workingStates,
} from '../../system/processes.ts'
import { unitStatus } from '../../system/systemd.ts'
import { drainingSince } from './drain.ts'

/** Seconds that one token may take on an otherwise idle machine. */
const tokenTimeout = 30

export type WatchedService = {
  unit: string
  /** The unix socket that it listens on, if it does. */
  socket?: string
  url: string
  /** A 503 from llama-server itself means that it is loading; from a proxy, that its upstream is unavailable. */
  saysLoading: boolean
}

/**
 * The probe of each service. llama-server: a request that goes through its queue. Admission proxy: one that
 * llama-server answers even if its queue hangs. nginx: one that needs neither key nor file; any answer will
 * do.
 */
export const watched = {
  llama: {
    unit: units.llama,
    socket: paths.socket,
    url: queueUrl,
    saysLoading: true,
  },
  admission: { unit: units.admission, socket: paths.admissionSocket, url: healthUrl, saysLoading: false },
  nginx: { unit: units.nginx, url: `http://127.0.0.1:${ports.http}/`, saysLoading: false },
} as const satisfies Record<string, WatchedService>

/** The services beside chat, probed as llama-server is. Those that do not run have nothing to be judged by. */
export const watchedCompanions: WatchedService[] = companionKinds.map(kind => ({
  unit: modelServices[kind].unit,
  socket: modelServices[kind].socket,
  url: queueUrl,
  saysLoading: true,
}))

/** What a service beside chat says to its probe now. */
export async function replyOfCompanion(host: Host, unit: string): Promise<Reply> {
  const companion = watchedCompanions.find(one => one.unit === unit)
  return companion === undefined ? 'nobody' : probe(host, companion, replyTimeout)
}

/** On a router. HAProxy says 503 while no copilot is ready: an answer, too. */
export const watchedOnRouter: WatchedService[] = [
  { unit: units.router, socket: paths.admissionSocket, url: healthUrl, saysLoading: false },
  watched.nginx,
]

/** Milliseconds between samples of a service's threads, and how many must find none working. */
const sampleEvery = 50
const samples = 5

/** Observes a service. `timeout`: seconds that its answer may take. */
export async function observe(
  host: Host,
  service: WatchedService,
  timeout = replyTimeout,
): Promise<Observation> {
  const { isRunning, invocation, mainPid } = await unitStatus(host, service.unit)
  const processes = [mainPid, ...childrenOf(host, mainPid)]
  const nothing = { invocation: '', reply: 'nobody' as const, cpuTime: 0, isRunning: false, isStopped: false }
  if (!isRunning || mainPid === 0) return { ...nothing, requests: 0 }
  const requests =
    service.socket === undefined ? 0 : connectionsOf(host, mainPid, host.files.at(service.socket))
  const reply = await probe(host, service, timeout)
  return {
    invocation,
    reply,
    cpuTime: processes.reduce((sum, pid) => sum + cpuTimeOf(host, pid), 0),
    isRunning: await isAnyAtWork(host, processes),
    isStopped: processes.some(pid => threadStatesOf(host, pid).includes(stoppedState)),
    requests,
  }
}

async function isAnyAtWork(host: Host, processes: number[]): Promise<boolean> {
  for (let sample = 0; sample < samples; sample += 1) {
    const states = processes.flatMap(pid => threadStatesOf(host, pid))
    if (states.some(state => workingStates.includes(state))) return true
    await sleep(sampleEvery)
  }
  return false
}

/** Nobody is listening: the socket does not exist, or its server has ended. */
const refusals = ['ENOENT', 'ECONNREFUSED']

async function probe(
  host: Host,
  { url, socket, saysLoading }: WatchedService,
  timeout: number,
): Promise<Reply> {
  const at = socket === undefined ? {} : { socket: host.files.at(socket) }
  try {
    const { status } = await host.http({ url, ...at, timeout })
    return saysLoading && status === 503 ? 'loading' : 'answer'
  } catch (error) {
    return refusals.includes((error as NodeJS.ErrnoException).code ?? '') ? 'nobody' : 'silence'
  }
}

/** Whether llama-server generates one token: through the admission proxy or, if that lets none through, directly. */
export async function generatesToken(host: Host): Promise<boolean> {
  const json = { prompt: 'Hi', max_tokens: 1 }
  const url = 'http://localhost/v1/completions'
  const isDraining = drainingSince(host) !== undefined
  for (const socket of isDraining ? [paths.socket] : [paths.admissionSocket, paths.socket])
    try {
      const { status } = await host.http({ url, socket: host.files.at(socket), json, timeout: tokenTimeout })
      if (status !== 429) return status === 200
    } catch {
      // No answer in time, or a closed connection, means no.
      return false
    }
  return false
}

/** Kills a service's processes; systemd restarts it, as after any crash. */
export const kill = (host: Host, unit: string): Promise<unknown> =>
  host.$`systemctl kill --signal=KILL ${unit}`

/** Tells the watchdog's quick check whether the executable found everything healthy, and need not run again. */
export function recordHealth(host: Host, isHealthy: boolean): void {
  if (isHealthy) host.files.replace(paths.healthy, '', 0o644)
  else host.files.remove(paths.healthy)
}
