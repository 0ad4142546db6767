/** Records the last run of each stage, and of the smoke test. */
import { inShort, type StageName, type StageRun } from '../appliance/stages.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { readState, writeState } from '../system/state-files.ts'

export const readStageRuns = (host: Host) => readState(host, stateFiles.stageRuns) ?? {}

const record = (host: Host, name: StageName, run: StageRun) =>
  writeState(host, stateFiles.stageRuns, { ...readStageRuns(host), [name]: run })

/** Runs a stage, and records when, and why it failed. A full disk, where nothing can be recorded, fails no stage. */
export async function recorded<T>(host: Host, name: StageName, act: () => Promise<T>): Promise<T> {
  const startedAt = host.now().toISOString()
  const note = (run: StageRun) => {
    try {
      record(host, name, run)
    } catch (error) {
      host.log.warn((error as Error).message)
    }
  }
  note({ startedAt })
  try {
    const result = await act()
    note({ startedAt, endedAt: host.now().toISOString() })
    return result
  } catch (error) {
    note({ startedAt, endedAt: host.now().toISOString(), problem: inShort((error as Error).message) })
    throw error
  }
}
