/** Reads the header of a GGUF file, after validating it: the file is untrusted. */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { gguf } from '@huggingface/gguf'
import type { Model } from '../../appliance/models/catalogue.ts'
import { type Geometry, geometryOf } from '../../appliance/models/geometry.ts'
import { checkStart, checkTensors, checkWhole, countsOf, startLength } from '../../appliance/models/gguf.ts'
import { modelPath } from '../../appliance/paths.ts'
import { shortestContext } from '../../appliance/sizing/limits.ts'
import type { Host } from '../../system/host.ts'

export type ModelFile = {
  /** Bytes. */
  size: number
  geometry: Geometry
  /** The context length that the model was trained for, in tokens. */
  contextLimit: number
}

/** Reads the model at an absolute path. Throws if that is not a complete GGUF file of a language model. */
export async function readModelFile(path: string): Promise<ModelFile> {
  try {
    const size = sizeOf(path)
    checkStart(startOf(path), size)
    const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true })
    const dataOffset = Number(tensorDataOffset)
    // The library reads zeros past the end of a truncated file.
    if (dataOffset > size)
      throw new Error(`it is truncated: its header has ${dataOffset} bytes, but the file only ${size}`)
    const tensors = tensorInfos.map(({ name, dtype: type, shape, offset }) => ({
      name,
      type,
      shape: shape.map(Number),
      offset: Number(offset),
    }))
    const header = { metadata: { ...metadata } as Record<string, unknown>, tensors }
    checkWhole(header.metadata)
    checkTensors(tensors, size - dataOffset)
    const contextLimit = countsOf(header).required('context_length')
    if (contextLimit < shortestContext)
      throw new Error(`its context of ${contextLimit} tokens is shorter than ${shortestContext}`)
    return { size, geometry: geometryOf(header), contextLimit }
  } catch (error) {
    throw new Error(`${path} cannot be used as a model: ${reasonOf(error as Error)}.`, { cause: error })
  }
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

/** A RangeError: the library read past its buffer (50 MB at most), since the header is cut off, or its counts wrong. */
const reasonOf = (error: Error) =>
  error instanceof RangeError ? 'its header is truncated or damaged' : error.message.replace(/\.$/, '')

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
