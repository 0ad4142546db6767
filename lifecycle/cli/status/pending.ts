/** What will happen by itself, or waits for somebody. */
import { paths, units } from '../../../lib/appliance/paths.ts'
import { pendingCompanions, pendingOf } from '../../../lib/appliance/plan.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { readRestarts } from '../../../lib/steps/llama/restarts.ts'
import { readProgress } from '../../../lib/steps/models/fetch-progress.ts'
import { unreadModel } from '../../../lib/steps/models/own-models.ts'
import { readPublication } from '../../../lib/steps/onegate.ts'
import { readPlan } from '../../../lib/steps/plan.ts'
import type { Host } from '../../../lib/system/host.ts'
import { readState } from '../../../lib/system/state-files.ts'
import { uptime } from '../../../lib/system/uptime.ts'

export const pendingActions = (host: Host): string[] =>
  [model, companions, pendingRestart, oneGate, certificate, reboot].flatMap(find => find(host) ?? [])

function model(host: Host): string | undefined {
  const pending = pendingOf(readPlan(host))?.model.name
  if (pending === undefined && unreadModel(host)?.isRetried !== true) return undefined
  return readProgress(host, 'model') ?? `${pending ?? 'The requested model'}: its download is not running.`
}

function companions(host: Host): string | undefined {
  const names = pendingCompanions(readPlan(host)).map(({ capacity }) => capacity.model.name)
  if (names.length === 0) return undefined
  return (
    readProgress(host, 'companions') ??
    `${names.join(', ')}: the download is not running. See: journalctl -u ${units.companions}`
  )
}

export function pendingRestart(host: Host): string | undefined {
  const { failures, next, cause } = readRestarts(host)
  const seconds = Math.ceil(next - uptime(host))
  return failures === 0 || seconds <= 0
    ? undefined
    : `llama-server ${cause}; it will be restarted in ${seconds} s.`
}

function oneGate(host: Host): string | undefined {
  const { problem, retryAt } = readPublication(host) ?? {}
  if (problem === undefined || retryAt === undefined) return undefined
  const seconds = Math.max(0, Math.ceil(retryAt - uptime(host)))
  return `OneGate was not updated: ${problem}. Next attempt: in ${seconds} s.`
}

function certificate(host: Host): string | undefined {
  const domain = readPlan(host).order?.domain
  const attempt = domain === undefined ? undefined : readState(host, stateFiles.attempts)?.[domain]
  return attempt === undefined ? undefined : `No certificate for ${domain} yet: ${attempt.reason}`
}

const reboot = (host: Host): string | undefined =>
  host.files.status(paths.rebootRequired) === undefined
    ? undefined
    : 'Updated packages take effect after a reboot of the VM.'
