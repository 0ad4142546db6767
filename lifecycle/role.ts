/** What follows from the VM's role: a copilot's model and services, or a router's fleet, and the plan for it. */
import type { Context } from '../lib/appliance/context/context.ts'
import { routerCapacity } from '../lib/appliance/fleet/router-capacity.ts'
import { chooseRequested, requestedModel } from '../lib/appliance/models/choice.ts'
import { ignoredModelNotes, type OwnModelOutcome, templateNotes } from '../lib/appliance/models/own-model.ts'
import { betterChoice } from '../lib/appliance/models/ranking.ts'
import { modelsOf, type Release, requestNames } from '../lib/appliance/models/release.ts'
import type { Verifications } from '../lib/appliance/models/verification.ts'
import { cacheSharingOf } from '../lib/appliance/nginx/cache-sharing.ts'
import { type Plan, type PlanRest, planFor } from '../lib/appliance/plan.ts'
import { planCapacity, refusalOf } from '../lib/appliance/sizing/capacity.ts'
import { planCompanions } from '../lib/appliance/sizing/companions.ts'
import { type Hardware, hardwareNotes } from '../lib/appliance/sizing/hardware.ts'
import type { Machine } from '../lib/appliance/sizing/machine.ts'
import { companionCandidates, withUrl } from '../lib/steps/models/companions.ts'
import { modelKnowledge } from '../lib/steps/models/fetched-models.ts'
import { weightNotes } from '../lib/steps/models/release.ts'
import type { Host } from '../lib/system/host.ts'

type RoleFacts = {
  release: Release
  /** The model by URL, if one is requested. */
  own: OwnModelOutcome | undefined
  context: Context
  machine: Machine & Hardware
}

type RoleRest = Omit<PlanRest, 'companions'>

export const roleOf = (host: Host, facts: RoleFacts, verifications: Verifications) =>
  facts.context.role === 'router' ? routerRole(facts) : copilotRole(host, facts, verifications)

function routerRole({ release, context }: RoleFacts) {
  const capacity = routerCapacity(requestedModel(release, context), context)
  const { backends } = context
  const plan = (rest: RoleRest): Plan => ({ state: 'routing', capacity, backends, companions: [], ...rest })
  return { capacity, models: [], companions: [], notes: [], hardware: [], plan }
}

function copilotRole(
  host: Host,
  { release, own, context, machine }: RoleFacts,
  verifications: Verifications,
) {
  const knowledge = modelKnowledge(host, machine, context, verifications)
  const choice = chooseRequested(release, own, context, knowledge)
  const candidates = companionCandidates(host, release, context, choice.model)
  const beside = planCompanions(machine, choice.model, context, candidates)
  const shared = { ...machine, reserved: beside.reserved }
  const capacity = planCapacity(shared, choice.model, context)
  const companions = beside.companions.map(companion => withUrl(companion, context.modelMirror))
  const better = betterChoice(capacity, modelsOf(release), model => {
    const isExcluded =
      knowledge.stateOf(model).state === 'failed' || refusalOf(shared, model, context) !== undefined
    return isExcluded ? undefined : planCapacity(shared, model, context)
  })
  return {
    capacity,
    hardware: [
      ...hardwareNotes(machine, context.threads),
      ...(better === undefined || 'pending' in choice ? [] : [better]),
    ],
    models: requestNames(choice.model, release),
    companions: beside.companions.map(companion => companion.capacity),
    notes: [
      ...ignoredModelNotes(context, release),
      ...templateNotes(choice.model, cacheSharingOf(context)),
      ...weightNotes(host, choice.model),
      ...beside.notes,
    ],
    plan: (rest: RoleRest) => planFor(choice, capacity, { ...rest, companions }),
  }
}
