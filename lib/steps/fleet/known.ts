/** The copilots that a router knew last. */
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readState } from '../../system/state-files.ts'

export const knownCopilots = (host: Host): Copilot[] => readState(host, stateFiles.fleet)?.copilots ?? []
