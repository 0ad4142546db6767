/** What configure tells bootstrap and the commands: the plan in force, one JSON, in one of three states. */
import * as z from 'zod'
import { type ModelChoice, pendingModelSchema } from './models/choice.ts'
import { cacheSharingSchema } from './nginx/cache-sharing.ts'
import { type Capacity, capacitySchema } from './sizing/capacity.ts'
import { orderSchema } from './tls/lets-encrypt.ts'

const inEveryState = {
  /** Names and addresses to show to people, the first one first. */
  endpoints: z.array(z.string()).min(1),
  /** For report and banner, besides the capacity's notes and the reason below. */
  notes: z.array(z.string()),
  /** Notes on the hardware: for the report alone. */
  hardware: z.array(z.string()),
  /** Whose cached prompts a request may use. */
  cacheSharing: cacheSharingSchema,
  /** What to ask of an ACME server, if anything. */
  order: orderSchema.optional(),
}

/** llama-server runs a model, while another may be pending. */
const serving = z.strictObject({
  state: z.literal('serving'),
  capacity: capacitySchema,
  pending: pendingModelSchema.optional(),
  ...inEveryState,
})

/** No model that is here fits; the one asked for is yet to be downloaded and verified. llama-server does not run. */
const waiting = z.strictObject({
  state: z.literal('waiting'),
  pending: pendingModelSchema,
  /** The capacity planned for the pending model. */
  intended: capacitySchema,
  /** Why nothing is served, a sentence. */
  reason: z.string(),
  ...inEveryState,
})

/** The model asked for failed, and no other that is here fits. llama-server does not run. */
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

export const planSchema = z.discriminatedUnion('state', [serving, waiting, unavailable])

export type Plan = z.infer<typeof planSchema>
export type ServingPlan = Extract<Plan, { state: 'serving' }>
/** A plan by which llama-server does not run. */
export type IdlePlan = Exclude<Plan, ServingPlan>

/** The plan by which the chosen model is served, or not. `capacity`: planned for the model of the choice. */
export function planFor(
  choice: ModelChoice,
  capacity: Capacity,
  rest: Pick<Plan, keyof typeof inEveryState>,
): Plan {
  switch (choice.state) {
    case 'serving':
      return {
        state: 'serving',
        capacity,
        pending: choice.pending,
        ...rest,
        notes: [...rest.notes, ...(choice.note === undefined ? [] : [choice.note])],
      }
    case 'waiting':
      return { state: 'waiting', pending: choice.pending, intended: capacity, reason: choice.reason, ...rest }
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

/** What clients, page and report describe: the capacity in force, else that of the model which was asked for. */
export const describedCapacity = (plan: Plan): Capacity =>
  plan.state === 'serving' ? plan.capacity : plan.intended

/** The model that is to be downloaded and verified, if any. */
export const pendingOf = (plan: Plan) => (plan.state === 'unavailable' ? undefined : plan.pending)

/** Why nothing is served, and what to do about it. */
export const unavailability = (plan: IdlePlan): string =>
  plan.state === 'waiting' ? plan.reason : `${plan.reason} ${plan.fix}`

/** All that deserves a word, for report, banner and status. */
export const planNotes = (plan: Plan): string[] => [
  ...describedCapacity(plan).notes,
  ...plan.notes,
  ...(plan.state === 'serving' ? [] : [unavailability(plan)]),
]
