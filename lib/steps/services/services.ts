/** Starts, restarts or reloads services when their inputs changed, and records which runs passed the smoke test. */

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

/** Seconds that nginx may take to replace its workers. */
const reloadTimeout = 60

type Input = { digest: string /** When the last of them changed. */; changedAt: Date }
export type Inputs = { restart: Input; reload: Input }
export type Action = 'start' | 'restart' | 'reload' | 'leave alone'

/** The runs that the last bootstrap since boot has proven. */
const readProven = (host: Host): Proven => readState(host, stateFiles.proven) ?? {}

/** Digest and last change of files and links. */
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
 * Dates inputs from now that are dated later, since the clock has been set back: otherwise each run that systemd starts,
 * at every boot until then, would count as older than they are.
 */
export function correctDates(host: Host, { restartInputs, reloadInputs }: Service): void {
  for (const path of [...restartInputs, ...reloadInputs]) {
    const status = host.files.status(path)
    if (status === undefined || status.changedAt <= host.now()) continue
    if (status.isLink) host.files.replaceLink(path, host.files.target(path) ?? '')
    else host.files.setMode(path, status.mode)
  }
}

/**
 * The action that a service needs. A known run is judged by the digests of its inputs; any other (started by
 * systemd at boot or after a crash) by whether it started after they last changed. A start time in the future
 * is unusable: the clock has been set back since.
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
  /** This run has already passed a smoke test with these inputs. */
  isProven: boolean
  run: Proven[string]
}

/** Enables a service, and starts, restarts or reloads it as its inputs require; calls `announce` before a restart. */
export async function applyService(
  host: Host,
  service: Service,
  announce: () => Promise<void> = async () => {},
): Promise<Applied> {
  correctDates(host, service)
  const inputs = readInputs(host, service)
  const proven = readProven(host)
  const before = await unitStatus(host, service.unit)
  const action = decideAction(service.unit, before, inputs, proven, host.now())

  await enableUnit(host, service.unit, before)
  if (action === 'restart') await announce()
  host.log.info(`${service.unit}: ${action}`)
  if (action === 'reload') {
    forgetReload(host, proven, service.unit)
    await reload(host, service.unit, before.mainPid)
  } else if (action !== 'leave alone') await start(host, service.unit, action)

  // Only a start or restart changes the invocation ID.
  const { invocation } = ['start', 'restart'].includes(action) ? await unitStatus(host, service.unit) : before
  const run = { invocation, restart: inputs.restart.digest, reload: inputs.reload.digest }
  const isProven = isDeepStrictEqual(proven[service.unit], run)
  return { service, action, isProven, run }
}

/**
 * If the stage fails or is killed after the reload, and the inputs then become those again that were proven before it,
 * the run must be reloaded once more. A restart needs no such care: its run is another one.
 */
function forgetReload(host: Host, proven: Proven, unit: string): void {
  const known = proven[unit]
  if (known !== undefined)
    writeState(host, stateFiles.proven, { ...proven, [unit]: { ...known, reload: '' } })
}

async function start(host: Host, unit: string, action: 'start' | 'restart') {
  // Otherwise systemd refuses to start a unit that has failed too often (systemd.unit(5), StartLimitBurst=).
  await host.$`systemctl reset-failed ${unit}`
  await systemctl(host, unit, action)
}

/** Reloads nginx, and waits until no old worker, which knows only the old keys, accepts connections. */
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

/** Records, until the next boot, that these runs have passed the smoke test. */
export function recordProven(host: Host, applied: Applied[]): void {
  const proven: Proven = Object.fromEntries(applied.map(({ service, run }) => [service.unit, run]))
  writeState(host, stateFiles.proven, proven)
}
