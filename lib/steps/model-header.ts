/** A model's geometry, read from the header of its GGUF file. */
import { isDeepStrictEqual } from 'node:util'
import { gguf } from '@huggingface/gguf'
import type { Model } from '../appliance/catalogue.ts'
import { type Geometry, geometryOf } from '../appliance/geometry.ts'
import { modelPath } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'

/** The geometry of the file at an absolute path, which has `size` bytes. Throws when it is no GGUF file of a language model. */
export async function readGeometry(path: string, size: number): Promise<Geometry> {
  try {
    const { metadata, tensorInfos, tensorDataOffset } = await gguf(path, { allowLocalFile: true })
    // A tensor ends where the next one begins.
    const ends = [...tensorInfos.map(({ offset }) => offset), BigInt(size) - tensorDataOffset]
    ends.sort((a, b) => (a < b ? -1 : 1))
    const tensors = tensorInfos.map(({ name, dtype, shape, offset }) => ({
      name,
      type: dtype,
      shape: shape.map(Number),
      bytes: Number((ends.find(end => end > offset) ?? offset) - offset),
    }))
    return geometryOf({ metadata: { ...metadata }, tensors })
  } catch (error) {
    throw new Error(`${path} has no readable GGUF header: ${(error as Error).message}`, { cause: error })
  }
}

/** The model with the geometry that its own file tells, whatever was believed before. */
export async function withOwnGeometry(host: Host, model: Model): Promise<Model> {
  if (!host.isLive) return model
  const geometry = await readGeometry(host.files.at(modelPath(model.name)), model.size)
  if (!isDeepStrictEqual(geometry, model.geometry))
    host.log.warn(`${model.name}: plans go by its header, which says ${JSON.stringify(geometry)}`)
  return { ...model, geometry }
}
