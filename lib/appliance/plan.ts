/** The plan in force, in one of three states: JSON that configure writes for bootstrap and the commands. */
import * as z from 'zod'
import { backendSchema } from './fleet/backends.ts'
import type { FleetServices } from './fleet/services.ts'
import { downloadSchema, type ModelChoice, type PendingModel, pendingModelSchema } from './models/choice.ts'
import type { CompanionModel } from './models/companions.ts'
import { cacheSharingSchema } from './nginx/cache-sharing.ts'
import { type Capacity, capacitySchema } from './sizing/capacity.ts'
import { type Companion, companionSchema } from './sizing/companions.ts'
import { orderSchema } from './tls/lets-encrypt.ts'

const inEveryState = {
  /** Names and addresses to show to people, the preferred one first. */
  endpoints: z.array(z.string()).min(1),
  /** For report and banner, in addition to the capacity's notes and the reason below. */
  notes: z.array(z.string()),
  /** Notes on the hardware: for the report only. */
  hardware: z.array(z.string()),
  /** Which keys share cached prompts. */
  cacheSharing: cacheSharingSchema,
  /** The services beside chat. One that is not installed yet is being downloaded, and not run. */
  companions: z.array(companionSchema).default([]),
  /** The certificate to order from an ACME server, if any. */
  order: orderSchema.optional(),
}

/** llama-server runs a model, while another may be pending. */
const serving = z.strictObject({
  state: z.literal('serving'),
  capacity: capacitySchema,
  pending: pendingModelSchema.optional(),
  ...inEveryState,
})

/** No installed model fits; the requested one must first be downloaded and verified. llama-server is off. */
const waiting = z.strictObject({
  state: z.literal('waiting'),
  /** The capacity planned for the pending model. */
  intended: capacitySchema,
  /** Where that comes from. */
  download: downloadSchema,
  /** Why nothing is served, a sentence. */
  reason: z.string(),
  ...inEveryState,
})

/** The requested model failed, and no other installed model fits. llama-server does not run. */
const unavailable = z.strictObject({
  state: z.literal('unavailable'),
  /** The capacity planned for the model that failed. */
  intended: capacitySchema,
  /** Why nothing is served, a sentence or two. */
  reason: z.string(),
  /** What the administrator can do about it, a sentence. */
  fix: z.string(),
  ...inEveryState,
})

/** A router: it serves no model itself, and passes requests on. */
const routing = z.strictObject({
  state: z.literal('routing'),
  /** What clients are told to expect of the fleet. */
  capacity: capacitySchema,
  /** The copilots that were named by hand; if none were, OneGate is asked. */
  backends: z.array(backendSchema),
  ...inEveryState,
})

export const planSchema = z.discriminatedUnion('state', [serving, waiting, unavailable, routing])

export type Plan = z.infer<typeof planSchema>
export type ServingPlan = Extract<Plan, { state: 'serving' }>
export type RoutingPlan = Extract<Plan, { state: 'routing' }>
/** A plan under which nothing is served. */
export type IdlePlan = Exclude<Plan, ServingPlan | RoutingPlan>

/** What every plan has, whatever its state. */
export type PlanRest = Pick<Plan, keyof typeof inEveryState>

/** The plan that follows from the choice of a model. `capacity`: planned for that model. */
export function planFor(choice: ModelChoice, capacity: Capacity, rest: PlanRest): Plan {
  switch (choice.state) {
    case 'serving':
      return {
        state: 'serving',
        capacity,
        pending: choice.pending,
        ...rest,
        notes: [...rest.notes, ...(choice.note === undefined ? [] : [choice.note])],
      }
    case 'waiting': {
      const { url, circumstances } = choice.pending
      const download = { url, circumstances }
      return { state: 'waiting', intended: capacity, download, reason: choice.reason, ...rest }
    }
    case 'unavailable':
      return {
        state: 'unavailable',
        intended: capacity,
        reason: choice.reason,
        fix: choice.fix,
        ...rest,
      }
  }
}

/** What clients, page and report describe: the capacity in force, otherwise that of the requested model. */
export const describedCapacity = (plan: Plan): Capacity =>
  'capacity' in plan ? plan.capacity : plan.intended

/** The model to be downloaded and verified, if any. */
export function pendingOf(plan: Plan): PendingModel | undefined {
  if (plan.state === 'waiting') return { model: plan.intended.model, ...plan.download }
  return plan.state === 'serving' ? plan.pending : undefined
}

/** The services beside chat whose models are still to be downloaded. */
export const pendingCompanions = ({ companions }: Plan): Companion[] =>
  companions.filter(({ isInstalled }) => !isInstalled)

/** The models of the services beside chat. */
export const companionModels = ({ companions }: Plan): CompanionModel[] =>
  companions.map(({ capacity }) => capacity.model)

/** Those whose models are there: by kind, the model's name. */
export const installedServices = ({ companions }: Plan): FleetServices =>
  Object.fromEntries(
    companions
      .filter(({ isInstalled }) => isInstalled)
      .map(({ capacity: { model } }) => [model.kind, model.name]),
  )

/** Why nothing is served, and what to do about it. */
export const unavailability = (plan: IdlePlan): string =>
  plan.state === 'waiting' ? plan.reason : `${plan.reason} ${plan.fix}`

/** All notes, for report, banner and status. */
export const planNotes = (plan: Plan): string[] => [
  ...describedCapacity(plan).notes,
  ...plan.notes,
  ...('capacity' in plan ? [] : [unavailability(plan)]),
]
