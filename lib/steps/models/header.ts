/** Reads the header of a GGUF file, after validating it: the file is untrusted. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { gguf } from '@huggingface/gguf'
import type { Model } from '../../appliance/models/catalogue.ts'
import { type Description, describe } from '../../appliance/models/description.ts'
import { checkStart, checkTensors, checkWhole, startLength } from '../../appliance/models/gguf.ts'
import { modelPath } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'

/** A file that is not a model which the appliance can plan and serve: another attempt would find the same. */
export class UnusableModelError extends Error {}

/** Reads the model at an absolute path. Throws if that is not a complete GGUF file of a language model. */
export const readModelFile = (path: string): Promise<Description> =>
  naming(path, async () => {
    const size = sizeOf(path)
    return (await descriptionIn(path, size)) ?? fail('its header is truncated or damaged')
  })

/**
 * Reads the start, which is at `path`, of a model of `size` bytes. Undefined if its header goes on after that;
 * throws if it cannot be a model. `source`: for messages.
 */
export const readModelStart = (
  path: string,
  size: number,
  source: string,
): Promise<Description | undefined> => naming(source, () => descriptionIn(path, size))

async function descriptionIn(path: string, size: number): Promise<Description | undefined> {
  checkStart(startOf(path), size)
  const present = statSync(path).size
  const parsed = await parse(path)
  const dataOffset = parsed === undefined ? Number.POSITIVE_INFINITY : Number(parsed.tensorDataOffset)
  // The library reads zeros past the end of the file.
  if (parsed === undefined || dataOffset > present) {
    if (present < size || parsed === undefined) return undefined
    throw new Error(`it is truncated: its header has ${dataOffset} bytes, but the file only ${size}`)
  }
  const tensors = parsed.tensorInfos.map(({ name, dtype: type, shape, offset }) => ({
    name,
    type,
    shape: shape.map(Number),
    offset: Number(offset),
  }))
  const header = { metadata: { ...parsed.metadata } as Record<string, unknown>, tensors }
  checkWhole(header.metadata)
  checkTensors(tensors, size - dataOffset)
  return describe(header, size)
}

/** Undefined if the library read past its buffer (50 MB at most), since the header is cut off, or its counts wrong. */
async function parse(path: string) {
  try {
    return await gguf(path, { allowLocalFile: true })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

async function naming<T>(source: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const reason = (error as Error).message.replace(/\.$/, '')
    throw new UnusableModelError(`${source} cannot be used as a model: ${reason}.`, { cause: error })
  }
}

const fail = (reason: string): never => {
  throw new Error(reason)
}

/** The file's size. Throws if it is not a regular file: reading a pipe may block, and a device may never end. */
function sizeOf(path: string): number {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) throw new Error('the file does not exist')
  if (!status.isFile()) throw new Error(`it is ${status.isDirectory() ? 'a folder' : 'not a regular file'}`)
  return status.size
}

function startOf(path: string): DataView {
  const bytes = new Uint8Array(startLength)
  const file = openSync(path, 'r')
  try {
    return new DataView(bytes.buffer, 0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}

/** The model with geometry and context limit from its file instead of the release. */
export async function withOwnGeometry(host: Host, model: Model): Promise<Model> {
  const path = modelPath(model.name)
  // In a dry run, or under another root, it has not been downloaded.
  if (host.files.status(path) === undefined) return model
  const { geometry, contextLimit: found } = await readModelFile(host.files.at(path))
  if (!isDeepStrictEqual(geometry, model.geometry))
    host.log.warn(
      `${model.name}: its header differs from the catalogue, and is used for planning: ${JSON.stringify(geometry)}`,
    )
  if (found < model.contextLimit)
    host.log.warn(`${model.name}: its header allows a context of ${found} tokens, not ${model.contextLimit}`)
  return { ...model, geometry, contextLimit: Math.min(found, model.contextLimit) }
}
