/** The plan in force, by which configure tells the other stages and commands what it decided. */
import type { Plan } from '../appliance/plan.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import { requireState, stateFile } from '../system/state-files.ts'

export const planFile = (plan: Plan) => stateFile(stateFiles.plan, plan)

/** Throws where configure has not written one, or another version did. */
export const readPlan = (host: Host): Plan => requireState(host, stateFiles.plan)
