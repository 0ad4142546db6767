/** Records the last smoke test of this appliance. */
import { inShort } from '../../appliance/stages.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { type Depth, type Endpoint, smokeTest } from './smoke-test.ts'

export const readLastSmokeTest = (host: Host) => readState(host, stateFiles.smokeTest)

/** Runs the smoke test, and records how it ended. */
export async function recordedSmokeTest(host: Host, endpoint: Endpoint, depth: Depth): Promise<void> {
  const at = host.now().toISOString()
  try {
    await smokeTest(host, endpoint, depth)
    writeState(host, stateFiles.smokeTest, { at, depth })
  } catch (error) {
    writeState(host, stateFiles.smokeTest, { at, depth, problem: inShort((error as Error).message) })
    throw error
  }
}
