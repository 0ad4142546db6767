/** What the marketplace's files say about this image: read from its manifest, or placeholders. */
import { oneApps } from '../../../lib/appliance/pins.ts'
import { imageVersion, type Manifest } from '../image/manifest.ts'
import { placeholder, type Uploads } from './placeholders.ts'

export type ListingFacts = {
  version: string
  oneAppsVersion: string
  /** `size`: bytes of the virtual disk. `created`: seconds since 1970. */
  image: { url: string; size: number | string; md5: string; sha256: string; created: number | string }
  /** `base`: one-apps' name for it, such as debian13. */
  os: { id: string; release: string; arch: string; base: string }
  model: { name: string; licence: string; size: number | string }
  llamaCpp: string
  executable: { url: string; sha256: string }
  projectUrl: string
  publisherEmail: string
  issue: string
}

/** Each with what it stands for, so that a draft can be read. */
const unknown = (what: string) => `${placeholder('IMAGE')}-${what}`
const unknownImage = {
  version: unknown('version'),
  oneAppsVersion: unknown('one-apps'),
  image: {
    size: unknown('size'),
    md5: unknown('md5'),
    sha256: unknown('sha256'),
    created: unknown('creation-time'),
  },
  os: {
    id: unknown('os-id'),
    release: unknown('os-release'),
    arch: unknown('os-arch'),
    base: unknown('base'),
  },
  model: { name: unknown('model'), licence: unknown('licence'), size: unknown('model-size') },
  llamaCpp: unknown('llama.cpp'),
}

/** The pinned release's version, or the commit of another one. */
const oneAppsVersion = (commit: string | null) =>
  commit === oneApps.commit ? oneApps.version : (commit ?? 'unknown')

function imageFacts(manifest: Manifest) {
  const { creationTime, size, md5, sha256, os, model, llamaCpp, commits } = manifest
  const [distribution] = os.id.toLowerCase().match(/^[a-z]+/) ?? []
  return {
    version: imageVersion(manifest),
    oneAppsVersion: oneAppsVersion(commits.oneApps),
    image: { size, md5, sha256, created: creationTime },
    os: { ...os, base: `${distribution}${os.release.replace('.', '')}` },
    model: { name: model.name, licence: model.licence ?? 'unknown', size: model.size },
    llamaCpp: llamaCpp.tag,
  }
}

/** `digest`: the executable's SHA-256, if it has been built. */
export function factsOf(
  manifest: Manifest | undefined,
  digest: string | undefined,
  uploads: Uploads,
): ListingFacts {
  const known = manifest === undefined ? unknownImage : imageFacts(manifest)
  const upload = (name: keyof Uploads) => uploads[name] ?? placeholder(name)
  return {
    ...known,
    image: { ...known.image, url: upload('IMAGE_URL') },
    executable: { url: upload('EXECUTABLE_URL'), sha256: digest ?? placeholder('EXECUTABLE') },
    projectUrl: upload('PROJECT_URL'),
    publisherEmail: upload('PUBLISHER_EMAIL'),
    issue: upload('ISSUE'),
  }
}
