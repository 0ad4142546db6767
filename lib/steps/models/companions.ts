/** The models of the services beside chat: which are on the disk, and downloading those that are not. */
import type { Context } from '../../appliance/context/context.ts'
import type { Model } from '../../appliance/models/catalogue.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { mirrored, type Release } from '../../appliance/models/release.ts'
import { modelPath } from '../../appliance/paths.ts'
import { type Candidate, type Companion, candidatesFor } from '../../appliance/sizing/companions.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { type DownloadProgress, download } from '../../system/download.ts'
import type { Host } from '../../system/host.ts'
import { isProven } from '../../system/verified-files.ts'

const fileOf = ({ name, sha256 }: CompanionModel) => ({
  path: modelPath(name),
  sha256,
  proofs: stateFiles.fileProofs,
})

/** The models that the context asks for. */
export const companionCandidates = (
  host: Host,
  { companions }: Release,
  context: Context,
  chat: Model,
): Candidate[] => candidatesFor(companions, context, chat, model => isProven(host, fileOf(model)))

/** With the address that its model is downloaded from. */
export const withUrl = (companion: Omit<Companion, 'url'>, mirror: string | undefined): Companion => ({
  ...companion,
  url: mirrored(mirror, companion.capacity.model).url,
})

/** Downloads whatever is missing of a model. Throws like `download`. */
export const downloadCompanion = (
  host: Host,
  { capacity: { model }, url }: Pick<Companion, 'capacity' | 'url'>,
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> => download(host, { ...fileOf(model), size: model.size, url }, onProgress)

/** Downloads the weights of those that belong in the image. */
export async function installCompanions(host: Host, { companions }: Release, mirror?: string): Promise<void> {
  for (const model of companions.filter(({ isBaked }) => isBaked)) {
    const { url, size } = mirrored(mirror, model)
    await download(host, { ...fileOf(model), url, size })
  }
}
