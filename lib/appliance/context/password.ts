/** Records that a password was generated in place of an unusable one, and why. */
import * as z from 'zod'

export const replacementSchema = z.strictObject({ at: z.iso.datetime(), reason: z.string() })
export type Replacement = z.infer<typeof replacementSchema>
