/** `slm-copilot about`: versions and licences, in 80 columns. */
import { type Component, kinds } from '../../appliance/inventory/components.ts'
import { wrapped } from '../../appliance/text.ts'

export type About = {
  version: string
  components: Component[]
  /** Path of the software bill of materials; absent where this is not an appliance. */
  sbom: string | undefined
  notices: string | undefined
}

const titles: Record<Component['kind'], string> = {
  'llama.cpp': 'Inference',
  model: 'Model',
  framework: 'OpenNebula',
  node: 'Node.js, and what it contains',
  npm: 'npm packages in the executable',
  debian: 'Debian packages',
}

const columns = { name: 23, version: 24, licence: 29 }

function lines({ name, version, licence = 'not stated', commit }: Component): string[] {
  const shown = /^[0-9a-f]{40}$/.test(version) ? version.slice(0, 12) : version
  const [first = '', ...more] = wrapped(licence, columns.licence)
  const text = commit === undefined ? shown : `${shown} (${commit.slice(0, 7)})`
  return [
    `  ${name.padEnd(columns.name)} ${text.padEnd(columns.version)} ${first}`,
    ...more.map(line => `${' '.repeat(columns.name + columns.version + 4)}${line}`),
  ]
}

function section(kind: Component['kind'], all: Component[]): string[] {
  const components = all.filter(component => component.kind === kind)
  if (components.length === 0) return []
  // Hundreds, with long licences: the bill of materials lists them.
  if (kind === 'debian')
    return [`${titles.debian}: ${components.length}, listed in the software bill of materials.`, '']
  return [`${titles[kind]}:`, ...components.flatMap(lines), '']
}

export const aboutText = ({ version, components, sbom, notices }: About): string =>
  [
    `SLM-Copilot ${version}, Apache-2.0`,
    '',
    ...kinds.flatMap(kind => section(kind, components)),
    sbom === undefined
      ? 'This is not a baked appliance: what an image contains is in its software bill\nof materials.'
      : `Software bill of materials (CycloneDX):\n  ${sbom}`,
    'Licence texts (slm-copilot about --notices):',
    `  ${notices ?? 'inside the executable'}`,
    '',
  ].join('\n')

export const aboutJson = (about: About): string => `${JSON.stringify(about, null, 2)}\n`
