/** What this executable and this image consist of. */
import { parseEnv } from 'node:util'
import { type Component, componentsSchema } from '../../appliance/inventory/components.ts'
import { packageFormat, packagesFrom } from '../../appliance/inventory/debian.ts'
import { componentsIn } from '../../appliance/inventory/sbom.ts'
import type { Model } from '../../appliance/models/catalogue.ts'
import type { Release } from '../../appliance/models/release.ts'
import { paths } from '../../appliance/paths.ts'
import { oneApps } from '../../appliance/pins.ts'
import { readAsset } from '../../system/assets.ts'
import type { Host } from '../../system/host.ts'

/** What is bundled into the executable; nothing if the program was started from its sources. */
export const bundledComponents = (): Component[] =>
  componentsSchema.parse(JSON.parse(readAsset('components.json') ?? '[]'))

/** The licences of what is bundled into the executable. */
export const bundledNotices = (): string | undefined => readAsset('notices.txt')

/** The components in the image's bill of materials; undefined if there is none. Throws if it is damaged. */
export function recordedComponents(host: Host): Component[] | undefined {
  const text = host.files.read(paths.sbom)
  if (text === undefined) return undefined
  try {
    return componentsIn(text)
  } catch (error) {
    throw new Error(`${paths.sbom} is damaged. Take it from the image's release.`, { cause: error })
  }
}

/** What the image contains besides the executable. `framework`: the commit of one-apps, if known. */
export async function imageComponents(
  host: Host,
  release: Release,
  framework?: string,
): Promise<Component[]> {
  return [
    llamaComponent(release, await llamaCommit(host)),
    modelComponent(release.model),
    ...release.companions.filter(({ isBaked }) => isBaked).map(modelComponent),
    ...(framework === undefined ? [] : [frameworkComponent(framework)]),
    ...(await debianComponents(host)),
  ]
}

/** The commit in `llama-server --version`. */
async function llamaCommit(host: Host): Promise<string | undefined> {
  const { stdout, stderr } = await host.query`${paths.llamaServer} --version`
  // Official builds: "version: 11194 (0ad4a86)"; others: "version: 0.5.0-dev (build 1, commit 0ad4a86)". Its log, which is
  // written at the same time, may have begun the line.
  return /\bversion: .*\b([0-9a-f]{7,40})\)/m.exec(`${stdout}\n${stderr}`)?.[1]
}

const llamaComponent = ({ llamaCpp }: Release, commit: string | undefined): Component => ({
  kind: 'llama.cpp',
  name: 'llama.cpp',
  version: llamaCpp.tag,
  licence: 'MIT',
  purl: `pkg:github/ggml-org/llama.cpp@${llamaCpp.tag}`,
  ...(commit !== undefined && { commit }),
  file: { url: llamaCpp.archive.url, algorithm: 'SHA-256', digest: llamaCpp.archive.sha256 },
})

/** A model has no version but its digest, or its revision at Hugging Face. */
function modelComponent({
  name,
  url,
  sha256,
  licence,
}: Pick<Model, 'name' | 'url' | 'sha256' | 'licence'>): Component {
  const [, repository, revision] =
    /^https:\/\/huggingface\.co\/([^/]+\/[^/]+)\/resolve\/([0-9a-f]+)\//.exec(url) ?? []
  return {
    kind: 'model',
    name,
    version: revision ?? `sha256-${sha256.slice(0, 12)}`,
    ...(licence !== undefined && { licence }),
    ...(repository !== undefined && { purl: `pkg:huggingface/${repository}@${revision}` }),
    file: { url, algorithm: 'SHA-256', digest: sha256 },
  }
}

const frameworkComponent = (commit: string): Component => ({
  kind: 'framework',
  name: 'one-apps',
  version: commit,
  licence: 'Apache-2.0',
  purl: `pkg:github/${new URL(oneApps.repository).pathname.slice(1).toLowerCase()}@${commit}`,
})

async function debianComponents(host: Host): Promise<Component[]> {
  const { stdout } = await host.query`dpkg-query --show --showformat ${packageFormat}`
  const { ID = 'debian', VERSION_ID = '' } = parseEnv(host.files.read(paths.osRelease) ?? '')
  return packagesFrom(stdout, { id: ID, version: VERSION_ID }, name =>
    host.files.read(`${paths.packageDocuments}/${name}/copyright`),
  )
}

/** The licence files in the release of llama.cpp, of llama.cpp itself and of what it contains. */
export const llamaNotices = (host: Host): string =>
  host.files
    .list(paths.llamaCurrent)
    .filter(name => name.startsWith('LICENSE'))
    .map(
      name =>
        `${'='.repeat(80)}\nllama.cpp: ${name}\n\n${host.files.read(`${paths.llamaCurrent}/${name}`)}\n`,
    )
    .join('')
