/** systemd units: their status, and the commands that change it. */
import type { Host } from './host.ts'

export type UnitStatus = {
  isActive: boolean
  /** It is active, and nothing is about to start, stop or restart it. */
  isRunning: boolean
  isEnabled: boolean
  /** Differs each time that the unit is started; empty when it never was. */
  invocation: string
  /** Its main process; 0 when there is none. */
  mainPid: number
  /** When it last became active, if it did. */
  startedAt: Date | undefined
}

const properties = ['ActiveState', 'UnitFileState', 'InvocationID', 'MainPID', 'ActiveEnterTimestamp', 'Job']
const shown = properties.map(name => `--property=${name}`)

/** The unit's status, from `systemctl show` (systemctl(1)), times in UTC seconds. */
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

/** Whether somebody has asked for a unit's end: `systemctl stop` or `restart`, a shutdown. A crash has no such job. */
export async function isBeingStopped(host: Host, unit: string): Promise<boolean> {
  const { stdout } = await host.query`systemctl list-jobs --no-legend --plain ${unit}`.nothrow()
  // JOB UNIT TYPE STATE; systemd's own start after a crash is a job of type start.
  return stdout.split('\n').some(line => ['stop', 'restart'].includes(line.trim().split(/\s+/)[2] ?? ''))
}

/** Makes systemd read its units anew where one of these differs from what it has loaded. One question for all of them. */
export async function reloadUnits(host: Host, units: string[]): Promise<void> {
  const { stdout } = await host.query`systemctl show --property=NeedDaemonReload --value ${units}`.nothrow()
  if (stdout.split('\n').includes('yes')) await host.$`systemctl daemon-reload`
}

/** Enables a unit, unless it is. */
export async function enableUnit(host: Host, unit: string, { isEnabled }: UnitStatus): Promise<void> {
  if (!isEnabled) await host.$`systemctl enable --quiet ${unit}`
}

/** Stops a unit and keeps it from starting at boot, unless it neither runs nor would. */
export async function disableUnit(host: Host, unit: string): Promise<void> {
  const { isActive, isEnabled } = await unitStatus(host, unit)
  if (isActive || isEnabled) await host.$`systemctl disable --now --quiet ${unit}`
}

/** The last lines that a unit wrote to the journal, for an error's text. */
export async function journalTail(host: Host, unit: string): Promise<string> {
  const { stdout } = await host.query`journalctl --unit ${unit} --lines 12 --output cat --no-pager`.nothrow()
  return stdout.trim()
}
