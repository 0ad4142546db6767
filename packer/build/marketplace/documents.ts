/** The marketplace's README and change log: from our own, and from the tables that they have in common. */
import { sizingTable } from '../../../lib/render/text/model-tables.ts'
import { variableTable } from '../../../lib/render/text/tables.ts'
import type { ListingFacts } from './facts.ts'
import { listing } from './listing.ts'
import { forReaders, introduction, section, withLinks } from './markdown.ts'

const components = ({
  version,
  os,
  llamaCpp,
  model,
  oneAppsVersion,
}: ListingFacts) => `| component | version |
|---|---|
| SLM-Copilot | ${version} |
| ${os.id} | ${os.release} |
| llama.cpp | ${llamaCpp} |
| model | ${model.name} (${model.licence}) |
| one-apps | ${oneAppsVersion} |`

/** `readme`: the text of our own README.md. */
export function readme(own: string, facts: ListingFacts): string {
  const text = `# ${listing.title}

${introduction(own)}

## Requirements

- OpenNebula ${listing.openNebula.replace(', ', ' or ')}, with KVM
- ${listing.vcpu} vCPUs and ${listing.memory / 1024} GB of memory, as the template says; what other sizes can do is in
  [Models, sizes and speeds](#models-sizes-and-speeds)
- \`host-passthrough\` as the CPU model, as the template says, so that the VM sees the host's AVX2

## Release notes

${components(facts)}

## Quick start

${section(own, 'The first ten minutes')}

## Context variables

All are optional. The alias is the name by which Sunstone's wizard asks.

${variableTable().trim()}

## Models, sizes and speeds

${section(own, 'Models, sizes and speeds')}

What fits into a VM, as conversations at once × tokens each:

${sizingTable().trim()}

## Connect your editor

${section(own, 'Connect your editor')}

## Troubleshooting

${section(own, 'Troubleshooting')}

## Security model

${section(own, 'Security model')}

## Licences

${section(own, 'Licences')}
`
  return withLinks(forReaders(text), facts.projectUrl)
}

/** The latest section of our own CHANGELOG.md, under the version that the marketplace shows. */
export function changelog(own: string, { version, image: { created } }: ListingFacts): string {
  const [, changes] = own.match(/^## .*\n([\s\S]*?)(?=^## |$(?![\s\S]))/m) ?? []
  if (changes === undefined) throw new Error('CHANGELOG.md has no section')
  const day = typeof created === 'number' ? new Date(created * 1000).toISOString().slice(0, 10) : created
  return `# Changelog

The format is that of Keep a Changelog.

## [${version}] - ${day}

### Added

${changes.trim()}
`
}
