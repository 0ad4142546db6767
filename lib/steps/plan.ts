/** The plan file, by which configure passes its decisions to the other stages and commands. */
import type { Plan } from '../appliance/plan.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { requireState, stateFile } from '../system/state-files.ts'

export const planFile = (plan: Plan) => stateFile(stateFiles.plan, plan)

/** Throws if configure has not written the plan, or another version has. */
export const readPlan = (host: Host): Plan => requireState(host, stateFiles.plan)
