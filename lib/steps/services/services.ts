/** Starts, reloads or restarts a service exactly when its inputs require it, and remembers which runs passed the smoke test. */

import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { configureCommand } from '../../appliance/paths.ts'
import type { Proven, Service } from '../../appliance/services/services.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { childrenOf, commandLineOf } from '../../system/processes.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { enableUnit, journalTail, type UnitStatus, unitStatus } from '../../system/systemd.ts'
import { waitFor } from '../../system/waiting.ts'

/** Seconds that nginx may take to make workers anew. */
const reloadTimeout = 60

type Input = { digest: string /** When the last of them changed. */; changedAt: Date }
export type Inputs = { restart: Input; reload: Input }
export type Action = 'start' | 'restart' | 'reload' | 'leave alone'

/** What the last bootstrap since the machine started has proven. */
const readProven = (host: Host): Proven => readState(host, stateFiles.proven) ?? {}

/** Files and links as they stand on disk. */
function readInput(host: Host, files: readonly string[]): Input {
  const hash = createHash('sha256')
  let changedAt = new Date(0)
  for (const path of files) {
    const status = host.files.status(path)
    if (status === undefined) throw new Error(`${path} is missing: run \`${configureCommand}\` first.`)
    hash.update(`${path}\n${(status.isLink ? host.files.target(path) : host.files.read(path)) ?? ''}\n`)
    if (status.changedAt > changedAt) changedAt = status.changedAt
  }
  return { digest: hash.digest('hex'), changedAt }
}

export const readInputs = (host: Host, { restartInputs, reloadInputs }: Service): Inputs => ({
  restart: readInput(host, restartInputs),
  reload: readInput(host, reloadInputs),
})

/**
 * What a service needs. A run that is known is judged by the digests of its inputs; one that is not (systemd started
 * it at boot, or after a crash) by whether it began after they last changed. One that began later than now began by
 * another clock, which tells nothing.
 */
export function decideAction(
  unit: string,
  status: UnitStatus,
  inputs: Inputs,
  proven: Proven,
  now: Date,
): Action {
  if (!status.isActive) return 'start'
  const { startedAt } = status
  const known = proven[unit]?.invocation === status.invocation ? proven[unit] : undefined
  const isCurrent = (kind: keyof Inputs) =>
    known === undefined
      ? startedAt !== undefined && startedAt > inputs[kind].changedAt && startedAt <= now
      : known[kind] === inputs[kind].digest
  if (!isCurrent('restart')) return 'restart'
  return isCurrent('reload') ? 'leave alone' : 'reload'
}

export type Applied = {
  service: Service
  action: Action
  /** This run has passed a smoke test before, on these inputs. */
  isProven: boolean
  run: Proven[string]
}

/** Enables a service, and starts, restarts or reloads it if its inputs ask for that. */
export async function applyService(host: Host, service: Service): Promise<Applied> {
  const inputs = readInputs(host, service)
  const proven = readProven(host)
  const before = await unitStatus(host, service.unit)
  const action = decideAction(service.unit, before, inputs, proven, host.now())

  await enableUnit(host, service.unit, before)
  host.log.info(`${service.unit}: ${action}`)
  if (action === 'reload') await reload(host, service.unit, before.mainPid)
  else if (action !== 'leave alone') await start(host, service.unit, action)

  // Only a start makes another run of it.
  const { invocation } = ['start', 'restart'].includes(action) ? await unitStatus(host, service.unit) : before
  const run = { invocation, restart: inputs.restart.digest, reload: inputs.reload.digest }
  const isProven = isDeepStrictEqual(proven[service.unit], run)
  return { service, action, isProven, run }
}

async function start(host: Host, unit: string, action: 'start' | 'restart') {
  // systemd refuses to start a unit that has failed too often (systemd.unit(5), StartLimitBurst=) until this.
  await host.$`systemctl reset-failed ${unit}`
  await systemctl(host, unit, action)
}

/** Reloads nginx, and waits until none of its old workers takes a connection: they know only the old keys. */
async function reload(host: Host, unit: string, mainPid: number) {
  const workers = childrenOf(host, mainPid)
  await systemctl(host, unit, 'reload')
  const poll = async () =>
    workers.every(pid => commandLineOf(host, pid)?.includes('shutting down') ?? true) || undefined
  const report = (seconds: number) => host.log.info(`Reloading ${unit}: ${seconds} s so far`)
  try {
    await host.perform(`wait until ${unit} has replaced its workers`, () =>
      waitFor(poll, report, reloadTimeout, `Reloading ${unit}`),
    )
  } catch (error) {
    throw new Error(
      `${unit} is still running with its old configuration:\n${await journalTail(host, unit)}`,
      {
        cause: error,
      },
    )
  }
}

async function systemctl(host: Host, unit: string, action: Action) {
  try {
    await host.$`systemctl ${action} ${unit}`
  } catch (error) {
    throw new Error(`${unit} failed to ${action}:\n${await journalTail(host, unit)}`, { cause: error })
  }
}

/** Remembers, until the machine stops, that these runs serve. */
export function recordProven(host: Host, applied: Applied[]): void {
  const proven: Proven = Object.fromEntries(applied.map(({ service, run }) => [service.unit, run]))
  writeState(host, stateFiles.proven, proven)
}
