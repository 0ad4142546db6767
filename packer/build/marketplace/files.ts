/** Every file that `make marketplace` writes: its path, text and mode. The logo's picture is rendered besides. */
import { changelog, readme } from './documents.ts'
import type { ListingFacts } from './facts.ts'
import { listing } from './listing.ts'
import { type Placeholder, placeholdersIn } from './placeholders.ts'
import { appliance, contextTests, metadata, serviceAppliance, testFile, tests } from './records.ts'
import { serviceTemplate } from './service.ts'
import { instructions, pullRequest } from './submission.ts'
import { marketplaceVariables } from './variables.ts'
import { yamlText } from './yaml.ts'

export type MarketplaceFile = { path: string; text: string; mode?: number }

/** Folders in the marketplace's repository. */
export const folders = {
  appliance: `appliances/${listing.name}`,
  packer: `apps-code/community-apps/packer/${listing.name}`,
  logos: 'logos',
} as const

/** Files of ours that go there as they are: the scripts are those of `make image`. */
const copied: Record<string, string> = {
  [`${folders.appliance}/appliance.sh`]: 'packer/appliance.sh',
  [`${folders.appliance}/tests/${testFile}`]: `packer/marketplace/tests/${testFile}`,
  [`${folders.packer}/${listing.name}.pkr.hcl`]: `packer/marketplace/packer/${listing.name}.pkr.hcl`,
  [`${folders.packer}/plugins.pkr.hcl`]: 'packer/plugins.pkr.hcl',
  [`${folders.packer}/gen_context`]: 'packer/marketplace/packer/gen_context',
  [`${folders.packer}/loc-05-slm-copilot-stale-pipe`]: 'packer/context/loc-05-slm-copilot-stale-pipe',
  [`${folders.packer}/80-create-folders.sh`]: 'packer/provision/folders.sh',
  [`${folders.packer}/81-configure-ssh.sh`]: 'packer/provision/ssh-hardening.sh',
  [`${folders.packer}/82-configure-context.sh`]: 'packer/provision/install.sh',
  [`${folders.packer}/98-collect-garbage.sh`]: 'packer/provision/clean-up.sh',
}

/** Scripts are executable, by their first line. */
const withMode = (file: { path: string; text: string }): MarketplaceFile =>
  file.text.startsWith('#!') ? { ...file, mode: 0o755 } : file

/** `read`: the text of a file in this repository. */
function contribution(facts: ListingFacts, read: (path: string) => string): MarketplaceFile[] {
  const { appliance: folder, packer } = folders
  return [
    ...Object.entries(copied).map(([path, source]) => ({ path, text: read(source) })),
    { path: `${folder}/${listing.uuid}.yaml`, text: yamlText(appliance(facts)) },
    { path: `${folder}/${listing.serviceUuid}.yaml`, text: yamlText(serviceAppliance(facts)) },
    { path: `${folder}/oneflow-service.json`, text: `${JSON.stringify(serviceTemplate(), null, 2)}\n` },
    { path: `${folder}/metadata.yaml`, text: yamlText(metadata(facts)) },
    { path: `${folder}/context.yaml`, text: yamlText(contextTests) },
    { path: `${folder}/tests.yaml`, text: yamlText(tests) },
    { path: `${folder}/README.md`, text: readme(read('README.md'), facts) },
    { path: `${folder}/CHANGELOG.md`, text: changelog(read('CHANGELOG.md'), facts) },
    {
      path: `${packer}/variables.pkr.hcl`,
      text: marketplaceVariables(read('packer/variables.pkr.hcl'), facts),
    },
    { path: 'pull-request.md', text: pullRequest(facts) },
  ].map(withMode)
}

/** The files, and the placeholders that are left in them. */
export function marketplaceFiles(
  facts: ListingFacts,
  read: (path: string) => string,
): { files: MarketplaceFile[]; left: Placeholder[] } {
  const files = contribution(facts, read)
  const left = placeholdersIn(files.map(({ text }) => text).join('\n'))
  return { files: [...files, { path: 'SUBMITTING.md', text: instructions(facts, left) }], left }
}
