/** What the executable and the image consist of: components with version, licence and origin. */
import * as z from 'zod'

/** npm: bundled into the executable. node: Node.js, and what it contains. debian: the image's packages. */
export const kinds = ['llama.cpp', 'model', 'framework', 'node', 'npm', 'debian'] as const

const componentSchema = z.strictObject({
  kind: z.enum(kinds),
  name: z.string(),
  version: z.string(),
  /** SPDX licence expression; LicenseRef- where SPDX lists none. Absent if nothing states it. */
  licence: z.string().optional(),
  /** Package URL (github.com/package-url/purl-spec). */
  purl: z.string().optional(),
  /** The commit that it was built from, possibly abbreviated. */
  commit: z.string().optional(),
  /** What was downloaded: its address, unless that follows from the purl, and its digest in hexadecimal. */
  file: z
    .strictObject({
      url: z.string().optional(),
      algorithm: z.enum(['SHA-256', 'SHA-512']),
      digest: z.string(),
    })
    .optional(),
})

export type Component = z.infer<typeof componentSchema>

export const componentsSchema = z.array(componentSchema)
