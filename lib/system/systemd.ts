/** systemd units: their status, and the commands that change it. */
import type { Host } from './host.ts'

export type UnitStatus = {
  isActive: boolean
  /** Active, with no start, stop or restart pending. */
  isRunning: boolean
  isEnabled: boolean
  /** Invocation ID, different for each start; empty if the unit has never been started. */
  invocation: string
  /** Main process; 0 if there is none. */
  mainPid: number
  /** When it last became active; undefined if it never did. */
  startedAt: Date | undefined
}

const properties = ['ActiveState', 'UnitFileState', 'InvocationID', 'MainPID', 'ActiveEnterTimestamp', 'Job']
const shown = properties.map(name => `--property=${name}`)

/** Parses the output of `systemctl show` (systemctl(1)), with times in seconds since the epoch. */
export function parseUnitStatus(text: string): UnitStatus {
  const fields = new Map(text.split('\n').map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string]))
  const seconds = fields.get('ActiveEnterTimestamp')?.match(/^@(\d+)/)?.[1]
  const isActive = fields.get('ActiveState') === 'active' || fields.get('ActiveState') === 'reloading'
  const hasJob = Number(fields.get('Job') || 0) > 0
  return {
    isActive,
    isRunning: fields.get('ActiveState') === 'active' && !hasJob,
    isEnabled: fields.get('UnitFileState') === 'enabled',
    invocation: fields.get('InvocationID') ?? '',
    mainPid: Number(fields.get('MainPID') ?? 0),
    startedAt: seconds === undefined ? undefined : new Date(Number(seconds) * 1000),
  }
}

export async function unitStatus(host: Host, unit: string): Promise<UnitStatus> {
  const { stdout } = await host.query`systemctl show --timestamp=unix ${shown} ${unit}`.nothrow()
  return parseUnitStatus(stdout)
}

/** Whether the unit is being stopped on purpose: by `systemctl stop`, `restart` or a shutdown, not by a crash. */
export async function isBeingStopped(host: Host, unit: string): Promise<boolean> {
  const { stdout } = await host.query`systemctl list-jobs --no-legend --plain ${unit}`.nothrow()
  // Columns: JOB UNIT TYPE STATE. An automatic restart after a crash is a job of type start.
  return stdout.split('\n').some(line => ['stop', 'restart'].includes(line.trim().split(/\s+/)[2] ?? ''))
}

/** Whether the whole system is being shut down or rebooted. */
export async function isSystemStopping(host: Host): Promise<boolean> {
  // It ends with 1 for every state but "running".
  const { stdout } = await host.query`systemctl is-system-running`.nothrow()
  return stdout.trim() === 'stopping'
}

/** Reloads systemd's configuration if one of these units has changed on disk. One query covers all of them. */
export async function reloadUnits(host: Host, units: string[]): Promise<void> {
  const { stdout } = await host.query`systemctl show --property=NeedDaemonReload --value ${units}`.nothrow()
  if (stdout.split('\n').includes('yes')) await host.$`systemctl daemon-reload`
}

/** Enables a unit if it is not yet enabled. */
export async function enableUnit(host: Host, unit: string, { isEnabled }: UnitStatus): Promise<void> {
  if (!isEnabled) await host.$`systemctl enable --quiet ${unit}`
}

/** Stops and disables a unit if it is active or enabled. */
export async function disableUnit(host: Host, unit: string): Promise<void> {
  const { isActive, isEnabled } = await unitStatus(host, unit)
  if (isActive || isEnabled) await host.$`systemctl disable --now --quiet ${unit}`
}

/** The unit's last lines in the journal, for error messages. */
export async function journalTail(host: Host, unit: string): Promise<string> {
  const { stdout } = await host.query`journalctl --unit ${unit} --lines 12 --output cat --no-pager`.nothrow()
  return stdout.trim()
}
