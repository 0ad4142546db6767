/** The administrator's own models: reads their headers, and remembers what they say. */
import { isDeepStrictEqual } from 'node:util'
import type { Model } from '../../appliance/models/catalogue.ts'
import {
  describedModel,
  knownByDigest,
  nameFor,
  noOwnModels,
  type OwnModel,
  type OwnModelOutcome,
  type OwnModels,
  type Unread,
  withOwnModels,
} from '../../appliance/models/own-model.ts'
import { modelsOf, type Release } from '../../appliance/models/release.ts'
import { modelPath } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { readModelFile, UnusableModelError } from './header.ts'
import { isVerified, modelFile } from './model-file.ts'
import { installedRelease } from './release.ts'
import { readModelAt } from './remote-header.ts'

const readOwnModels = (host: Host): OwnModels => readState(host, stateFiles.ownModels) ?? noOwnModels

/** The installed release, and the administrator's own models that are known here. */
export const releaseWithOwnModels = (host: Host): Release =>
  withOwnModels(
    installedRelease(host),
    readOwnModels(host).models.map(({ model }) => model),
  )

/** The requested model, if its header could not be read. */
export const unreadModel = (host: Host): Unread | undefined => readOwnModels(host).unread

/** The requested model as it is recorded. */
export function recordedOwnModel(host: Host, wanted: OwnModel): OwnModelOutcome {
  const known = knownByDigest(installedRelease(host), wanted)
  if (known !== undefined) return { model: known }
  const { models, unread } = readOwnModels(host)
  const found = models.find(({ model }) => model.sha256 === wanted.sha256)
  if (found !== undefined) return { model: { ...found.model, url: wanted.url } }
  if (unread?.sha256 === wanted.sha256 && unread.url === wanted.url) return unread
  return { ...wanted, problem: `The header of ${wanted.url} has not been read.`, isRetried: true }
}

/**
 * Records what the requested model's header says, or why it could not be read: first at its URL, and again in the
 * file once that is verified, since the server may have sent another header before. After that, nothing is read any
 * more.
 */
export async function describeOwnModel(host: Host, wanted: OwnModel | undefined): Promise<void> {
  const before = readOwnModels(host)
  const after = await described(host, wanted, before)
  if (!isDeepStrictEqual(after, before)) writeState(host, stateFiles.ownModels, after)
}

async function described(
  host: Host,
  wanted: OwnModel | undefined,
  { models }: OwnModels,
): Promise<OwnModels> {
  const others = models.filter(({ model }) => model.sha256 !== wanted?.sha256 && isOnDisk(host, model))
  const release = installedRelease(host)
  if (wanted === undefined || knownByDigest(release, wanted) !== undefined) return { models: others }

  const known = models.find(({ model }) => model.sha256 === wanted.sha256)
  const name =
    known?.model.name ??
    nameFor(
      wanted,
      [...modelsOf(release), ...others.map(({ model }) => model)],
      release.companions.map(companion => companion.name),
    )
  const { path } = modelFile({ name, sha256: wanted.sha256 })
  const isHere = isVerified(host, { name, sha256: wanted.sha256 })
  if (known !== undefined && (known.isProven || !isHere)) return { models: [...others, known] }

  const source = isHere ? path : wanted.url
  const read = () => (isHere ? readModelFile(host.files.at(path)) : readModelAt(host, wanted.url))
  try {
    const description = await host.perform(`read the header of ${source}`, read)
    if (description === undefined) return { models: others }
    const model = describedModel(name, wanted, description)
    host.log.info(`${name}: its header has been read, and the plan is based on it`)
    return { models: [...others, { model, isProven: isHere }] }
  } catch (error) {
    const problem = (error as Error).message
    const isRetried = !(error instanceof UnusableModelError)
    return { models: others, unread: { ...wanted, problem, isRetried } }
  }
}

/** Whether anything of its file is here. */
const isOnDisk = ({ files }: Host, { name }: Model) =>
  [modelPath(name), `${modelPath(name)}.part`].some(path => files.status(path) !== undefined)
