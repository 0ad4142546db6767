/** The software bill of materials as JSON: CycloneDX 1.6 (ECMA-424), and what our own contain. */
import * as z from 'zod'
import { type Component, kinds } from './components.ts'

export type Subject = {
  version: string
  /** SHA-256 of the executable. */
  digest: string
  /** Identifies the bill's content: the same components have the same. */
  serial: string
}

const types = {
  'llama.cpp': 'application',
  model: 'machine-learning-model',
  framework: 'framework',
  node: 'library',
  npm: 'library',
  debian: 'application',
} as const satisfies Record<Component['kind'], string>

const property = 'slm-copilot:kind'
const self = 'slm-copilot'

const referenceTo = ({ kind, name, version, purl }: Component) => purl ?? `${kind}:${name}@${version}`

/** Of a file at an address, or of the package that the component's purl names. */
function digestOf({ url, algorithm, digest }: NonNullable<Component['file']>) {
  const hashes = [{ alg: algorithm, content: digest }]
  return url === undefined ? { hashes } : { externalReferences: [{ type: 'distribution', url, hashes }] }
}

const entry = (component: Component) => {
  const { kind, name, version, licence, purl, commit, file } = component
  return {
    type: types[kind],
    'bom-ref': referenceTo(component),
    name,
    version,
    ...(licence !== undefined && { licenses: [{ expression: licence }] }),
    ...(purl !== undefined && { purl }),
    ...(commit !== undefined && { pedigree: { commits: [{ uid: commit }] } }),
    ...(file && digestOf(file)),
    properties: [{ name: property, value: kind }],
  }
}

/** Without a timestamp: the same components give the same text. */
export const sbomText = ({ version, digest, serial }: Subject, components: Component[]): string =>
  `${JSON.stringify(
    {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: `urn:uuid:${serial}`,
      version: 1,
      metadata: {
        component: {
          type: 'application',
          'bom-ref': self,
          name: 'slm-copilot',
          version,
          description: 'OpenNebula appliance. The digest is that of its executable.',
          hashes: [{ alg: 'SHA-256', content: digest }],
          licenses: [{ expression: 'Apache-2.0' }],
        },
      },
      components: components.map(entry),
      dependencies: [{ ref: self, dependsOn: components.map(referenceTo) }],
    },
    null,
    1,
  )}\n`

/** Of our own bill, what `componentsIn` reads. */
const sbomSchema = z.object({
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      licenses: z.tuple([z.object({ expression: z.string() })]).optional(),
      purl: z.string().optional(),
      pedigree: z.object({ commits: z.tuple([z.object({ uid: z.string() })]) }).optional(),
      properties: z.tuple([z.object({ value: z.enum(kinds) })]),
    }),
  ),
})

const subjectSchema = z.object({
  metadata: z.object({
    component: z.object({ version: z.string(), hashes: z.tuple([z.object({ content: z.string() })]) }),
  }),
})

/** The version and the digest of the executable in a bill written by `sbomText`. Throws if it is damaged. */
export function subjectIn(text: string): Omit<Subject, 'serial'> {
  const { version, hashes } = subjectSchema.parse(JSON.parse(text)).metadata.component
  return { version, digest: hashes[0].content }
}

/** The components in a bill written by `sbomText`. Throws if it is damaged. */
export const componentsIn = (text: string): Component[] =>
  sbomSchema
    .parse(JSON.parse(text))
    .components.map(({ name, version, licenses, purl, pedigree, properties }) => ({
      kind: properties[0].value,
      name,
      version,
      licence: licenses?.[0].expression,
      purl,
      commit: pedigree?.commits[0].uid,
    }))
