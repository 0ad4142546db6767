/** A model's file on the disk, with the digest that it must have. */
import type { Model } from '../../appliance/models/catalogue.ts'
import { modelPath } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import { type DownloadProgress, download } from '../../system/download.ts'
import type { Host } from '../../system/host.ts'
import { isProven } from '../../system/verified-files.ts'

export const modelFile = ({ name, sha256 }: Pick<Model, 'name' | 'sha256'>) => ({
  path: modelPath(name),
  sha256,
  proofs: stateFiles.fileProofs,
})

/** Whether the file is there, and verified. */
export const isVerified = (host: Host, model: Pick<Model, 'name' | 'sha256'>): boolean =>
  isProven(host, modelFile(model))

/** Downloads whatever is missing of a model, from the URL in place of its own. Throws like `download`. */
export const downloadModel = (
  host: Host,
  { model, url }: { model: Pick<Model, 'name' | 'sha256' | 'size'>; url: string },
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> => download(host, { ...modelFile(model), size: model.size, url }, onProgress)
