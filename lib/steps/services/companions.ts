/** Starts the services beside chat, and waits until they answer. If they fail, chat is served all the same. */
import { healthUrl, modelServices } from '../../appliance/paths.ts'
import { type CompanionKind, companionKinds } from '../../appliance/requests/services.ts'
import { loadTimeout } from '../../appliance/services/restarts.ts'
import { companionService } from '../../appliance/services/services.ts'
import type { Companion } from '../../appliance/sizing/companions.ts'
import type { Host } from '../../system/host.ts'
import { respondsOk } from '../../system/http.ts'
import { connectionsOf } from '../../system/processes.ts'
import { disableUnit, unitStatus } from '../../system/systemd.ts'
import { waitFor } from '../../system/waiting.ts'
import { type Applied, applyService } from './services.ts'

/** Seconds that the report waits for them: from a slow disk they may take longer, and still answer later. */
const longestWait = 120

type StartedCompanion = { kind: CompanionKind; size: number; applied: Applied }

/** `notes`: what failed. */
export type StartedCompanions = { started: StartedCompanion[]; notes: string[] }

/** Starts or restarts the planned services whose model is installed, and stops all others. */
export async function startCompanions(host: Host, planned: Companion[]): Promise<StartedCompanions> {
  const outcome: StartedCompanions = { started: [], notes: [] }
  for (const kind of companionKinds) {
    const found = planned.find(({ capacity, isInstalled }) => capacity.model.kind === kind && isInstalled)
    try {
      if (found === undefined) await disableUnit(host, modelServices[kind].unit)
      else {
        const applied = await applyService(host, companionService(kind))
        outcome.started.push({ kind, size: found.capacity.model.size, applied })
      }
    } catch (error) {
      outcome.notes.push(noteOf(host, kind, error as Error))
    }
  }
  return outcome
}

/**
 * Waits until those that were started have loaded their models: the VM is not ready before. `applied`: those that
 * have.
 */
export async function verifyCompanions(
  host: Host,
  { started, notes }: StartedCompanions,
): Promise<{ applied: Applied[]; notes: string[] }> {
  const outcomes = await Promise.all(started.map(one => verifyCompanion(host, one)))
  return {
    applied: outcomes.flatMap(outcome => ('applied' in outcome ? [outcome.applied] : [])),
    notes: [...notes, ...outcomes.flatMap(outcome => ('note' in outcome ? [outcome.note] : []))],
  }
}

async function verifyCompanion(host: Host, { kind, size, applied }: StartedCompanion) {
  try {
    await waitUntilLoaded(host, kind, applied.run.invocation, size)
    return { applied }
  } catch (error) {
    return { note: noteOf(host, kind, error as Error) }
  }
}

async function waitUntilLoaded(host: Host, kind: CompanionKind, invocation: string, size: number) {
  const { unit, socket } = modelServices[kind]
  const poll = async () => {
    if (await respondsOk(host, healthUrl, host.files.at(socket))) return true
    const status = await unitStatus(host, unit)
    if (status.isActive && status.invocation === invocation) return undefined
    throw new Error(`it ended while it was loading its model: see the journal of ${unit}.`)
  }
  const report = (seconds: number) => host.log.info(`${unit}: loading its model, ${seconds} s so far`)
  await waitFor(poll, report, Math.min(loadTimeout(size), longestWait), 'Loading its model')
}

/** The requests that the services beside chat are answering: the admission proxy counts them with chat's. */
export async function companionRequests(host: Host): Promise<number> {
  let requests = 0
  for (const kind of companionKinds) {
    const { unit, socket } = modelServices[kind]
    const { mainPid } = await unitStatus(host, unit)
    if (mainPid !== 0) requests += connectionsOf(host, mainPid, host.files.at(socket))
  }
  return requests
}

function noteOf(host: Host, kind: CompanionKind, error: Error): string {
  const [first = ''] = error.message.split('\n')
  const note = `The service for ${kind} does not run: ${first.replace(/:$/, '.')}`
  host.log.warn(note)
  return note
}
