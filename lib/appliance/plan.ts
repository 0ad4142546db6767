/** What configure tells bootstrap: the plan in force, one JSON. */
import * as z from 'zod'
import { capacitySchema } from './capacity.ts'
import { orderSchema } from './lets-encrypt.ts'
import { wantedSchema } from './model-choice.ts'
import { paths } from './paths.ts'

const planSchema = z.strictObject({
  capacity: capacitySchema,
  /** Names and addresses to show to people, the first one first. */
  endpoints: z.array(z.string()).min(1),
  /** What deserves a word besides the capacity's: for report and banner. */
  notes: z.array(z.string()),
  /** What of the hardware deserves one: for the report alone. */
  hardware: z.array(z.string()),
  /** What to ask of an ACME server, if anything. */
  order: orderSchema.optional(),
  /** The model to fetch and try, if one is asked for that has not answered here yet. */
  wanted: wantedSchema.optional(),
  /** Why nothing is served, if so: a sentence. The capacity is that of the model to come. */
  unserved: z.string().optional(),
})

export type Plan = z.infer<typeof planSchema>

export const planFile = (plan: Plan) => ({
  path: paths.plan,
  mode: 0o640,
  text: `${JSON.stringify(plan, null, 2)}\n`,
})

/** The plan from its file's text. Throws when configure has not written one, or another version did. */
export function parsePlan(text: string | undefined): Plan {
  const result = planSchema.safeParse(text === undefined ? undefined : JSON.parse(text))
  if (result.success) return result.data
  throw new Error(`${paths.plan} holds no plan of this version: run \`slm-copilot configure\` first.`)
}
