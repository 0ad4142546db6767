/** Keeps the framework's message of the day true between the stages, and gives its text back once that is true again. */
import { paths } from '../appliance/paths.ts'
import { messageOfTheDay, type Readiness } from '../appliance/readiness.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { readState, writeState } from '../system/state-files.ts'

/** Shows the readiness. Without a framework, which writes the file at each stage, there is nothing to correct. */
export function showInMessage(host: Host, readiness: Readiness): void {
  const current = host.files.read(paths.messageOfTheDay)
  if (current === undefined) return
  const before = readState(host, stateFiles.messageOfTheDay)
  // Anything else than what was shown last is the framework's.
  const framework = before?.shown === current ? before.framework : current
  const shown = messageOfTheDay(framework, readiness)
  if (shown === current) return
  writeState(host, stateFiles.messageOfTheDay, { framework, shown })
  host.files.replace(paths.messageOfTheDay, shown, 0o644)
}
