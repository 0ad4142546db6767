/** Judges units, their settings, and the files that the appliance manages. */
import { configureCommand } from '../paths.ts'
import { type Finding, ok, problem, warning } from './finding.ts'

export type UnitSettings = {
  unit: string
  /** Files that add to or override the unit's own (systemd.unit(5)). */
  dropIns: string[]
  /** Whether systemd has not read the files as they are on disk. */
  isOutdated: boolean
}

/** Parses the output of systemctl(1) for the properties Id, DropInPaths and NeedDaemonReload of several units. */
export const parseUnitSettings = (text: string): UnitSettings[] =>
  text
    .trim()
    .split('\n\n')
    .map(block => {
      const field = (name: string) => block.match(new RegExp(`^${name}=(.*)$`, 'm'))?.[1] ?? ''
      return {
        unit: field('Id'),
        dropIns: field('DropInPaths').split(' ').filter(Boolean),
        isOutdated: field('NeedDaemonReload') === 'yes',
      }
    })

/** `own`: the appliance's own drop-ins. */
export function dropInsFinding(settings: UnitSettings[], own: readonly string[]): Finding {
  const foreign = settings.flatMap(({ dropIns }) => dropIns.filter(path => !own.includes(path)))
  if (foreign.length > 0)
    return warning(`changed by ${foreign.join(', ')}`, 'Remove these files unless you made them on purpose.')
  const outdated = settings.filter(({ isOutdated }) => isOutdated).map(({ unit }) => unit)
  return outdated.length === 0
    ? ok('no drop-ins by others')
    : warning(`${outdated.join(', ')} changed on disk and not reloaded`, 'systemctl daemon-reload')
}

/** `failed`: the names of failed units. `own`: the appliance's. */
export function failedUnitsFinding(failed: string[], own: readonly string[]): Finding {
  const ours = failed.filter(unit => own.includes(unit))
  if (failed.length === 0) return ok('none')
  const fix = `systemctl status ${(ours.length > 0 ? ours : failed).join(' ')}`
  return ours.length > 0 ? problem(failed.join(', '), fix) : warning(failed.join(', '), fix)
}

/** `differing`: managed files that are missing, or differ in content, mode or target. `fix`: what restores them. */
export function filesFinding(count: number, differing: string[], fix = configureCommand): Finding {
  if (differing.length === 0) return ok(`${count} files as configured`)
  return problem(`missing or changed: ${differing.join(', ')}`, fix)
}
