/** That a password was generated in place of one that could not be used, and why. */
import * as z from 'zod'

export const replacementSchema = z.strictObject({ at: z.iso.datetime(), reason: z.string() })
export type Replacement = z.infer<typeof replacementSchema>
