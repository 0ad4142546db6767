/** Values that are known only after an upload or a registration; until they are given, a placeholder stands for each. */
import * as z from 'zod'

const address = z
  .url({ protocol: /^https$/, error: 'takes an https URL' })
  .max(1000)
  .regex(/^[^\s"'|<>\\]+$/, 'takes a URL without spaces, quotes or |')
  .refine(
    text => !/^https:\/\/([^/]*\.)?(example(\.\w+)?|localhost|invalid)([:/]|$)/.test(text),
    'is an example, not an address',
  )

/** The values as they are given to `make marketplace`, each with its rule and with what to do to know it. */
const uploads = {
  IMAGE_URL: { value: address, instruction: 'Upload the image in dist/image, and give its address' },
  EXECUTABLE_URL: {
    value: address,
    instruction: "Upload dist/slm-copilot, which the marketplace's own build downloads, and give its address",
  },
  PROJECT_URL: { value: address, instruction: 'Publish this repository, and give its address' },
  PUBLISHER_EMAIL: {
    value: z.email({ error: 'takes an e-mail address' }).max(254),
    instruction: 'Give the address at which reviewers and users reach the maintainers',
  },
  ISSUE: {
    value: z.string().regex(/^\d+$/, 'takes the number of an issue'),
    instruction:
      'File "New Appliance Contribution Request" at OpenNebula/marketplace-community, and give the number of the approved issue',
  },
} as const

export type Upload = keyof typeof uploads
export type Uploads = Partial<Record<Upload, string>>

const builds = {
  IMAGE: 'Run `make image`: everything about the image is read from dist/image/manifest.json',
  EXECUTABLE: 'Run `make build` or `make image`: the SHA-256 of dist/slm-copilot',
} as const

export type Placeholder = Upload | keyof typeof builds

export const instructionOf = (name: Placeholder): string =>
  name in builds ? builds[name as keyof typeof builds] : `${uploads[name as Upload].instruction}: ${name}=…`

const mark = 'REPLACE-WITH-'

/** What stands in the files for an unknown value. */
export const placeholder = (name: Placeholder): string => `${mark}${name}`

/** The placeholders in a text, each once. */
export const placeholdersIn = (text: string): Placeholder[] => {
  const found = [...text.matchAll(new RegExp(`${mark}([A-Z_]+)`, 'g'))].map(([, name]) => name as Placeholder)
  return [...new Set(found)]
}

/** The given values; an empty one counts as not given. Throws with all problems at once. */
export function parseUploads(environment: Record<string, string | undefined>): Uploads {
  const names = Object.keys(uploads) as Upload[]
  const given = names.flatMap(name => (environment[name] ? [[name, environment[name]] as const] : []))
  const problems = given.flatMap(([name, text]) => {
    const { error } = uploads[name].value.safeParse(text)
    const wrong = placeholdersIn(text).length > 0 ? 'is a placeholder' : error?.issues[0]?.message
    return wrong === undefined ? [] : [`${name}=${text} ${wrong}`]
  })
  if (problems.length > 0) throw new Error(['these values are wrong:', ...problems].join('\n  '))
  return Object.fromEntries(given)
}
