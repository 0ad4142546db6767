/** What configure tells bootstrap: the plan in force, one JSON. */
import * as z from 'zod'
import { wantedSchema } from './models/choice.ts'
import { cacheSharingSchema } from './nginx/cache-sharing.ts'
import { capacitySchema } from './sizing/capacity.ts'
import { orderSchema } from './tls/lets-encrypt.ts'

export const planSchema = z.strictObject({
  capacity: capacitySchema,
  /** Names and addresses to show to people, the first one first. */
  endpoints: z.array(z.string()).min(1),
  /** What deserves a word besides the capacity's: for report and banner. */
  notes: z.array(z.string()),
  /** What of the hardware deserves one: for the report alone. */
  hardware: z.array(z.string()),
  /** Whose cached prompts a request may use. */
  cacheSharing: cacheSharingSchema,
  /** What to ask of an ACME server, if anything. */
  order: orderSchema.optional(),
  /** The model to fetch and try, if one is asked for that has not answered here yet. */
  wanted: wantedSchema.optional(),
  /** Why nothing is served, if so: a sentence. The capacity is that of the model to come. */
  unserved: z.string().optional(),
})

export type Plan = z.infer<typeof planSchema>
