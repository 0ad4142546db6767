/** The mirror that local bakes download from: nginx on the loopback address, with the archive and two models. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CompanionModel } from '../../lib/appliance/models/companions.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { startNginx } from '../../packer/build/local-nginx.ts'
import { vectorModel } from './embedding-model.ts'
import { infillModel, infillTokens } from './infill-model.ts'
import { archiveName, llamaRelease } from './llama-release.ts'
import { llamaTag } from './llama-source.ts'
import { contextLimit, sentenceModel } from './sentence-model.ts'
import { toolModel } from './tool-model.ts'

const modelName = 'sentence.gguf'
/** A second model, to be downloaded by a running appliance: it calls a tool if it is given tools. */
const furtherName = 'caller.gguf'

/** `url`: as seen from this machine. A guest on QEMU's user network reaches the same port at 10.0.2.2. */
export type Mirror = { url: string; port: number; accessLog: string; close: () => Promise<void> }

/** Serves the archive and the models, built if necessary, on 127.0.0.1 at `port`, or at a free one. */
export async function startMirror(port?: number): Promise<Mirror> {
  const folder = await mirrorFolder()
  const removeFolder = () => rmSync(folder, { recursive: true, force: true })
  const nginx = await startNginx(folder, `    root ${folder}/files;`, port).catch(error => {
    removeFolder()
    throw error
  })
  const close = async () => {
    await nginx.stop()
    removeFolder()
  }
  return { url: `http://127.0.0.1:${nginx.port}`, port: nginx.port, accessLog: nginx.accessLog, close }
}

/** Creates nginx's working folder, with what the mirror serves in `files/`. The caller removes it. */
async function mirrorFolder(): Promise<string> {
  const [archive, model] = [await llamaRelease(), await sentenceModel()]
  const folder = mkdtempSync(join(tmpdir(), 'mirror-'))
  mkdirSync(join(folder, 'files'))
  symlinkSync(archive, join(folder, 'files', archiveName))
  symlinkSync(model, join(folder, 'files', modelName))
  symlinkSync(await toolModel(), join(folder, 'files', furtherName))
  for (const { name, file } of companions) symlinkSync(await file(), join(folder, 'files', `${name}.gguf`))
  return folder
}

/** A release file for bakes: what to download and to offer, with URL, size and digest. */
export async function releaseValue(baseUrl: string) {
  const archive = published(await llamaRelease(), `${baseUrl}/${archiveName}`)
  const [path, furtherPath] = [await sentenceModel(), await toolModel()]
  const model = published(path, `${baseUrl}/${modelName}`)
  const further = published(furtherPath, `${baseUrl}/${furtherName}`)
  const { geometry } = await readModelFile(path)
  const { geometry: furtherGeometry } = await readModelFile(furtherPath)
  const template = 'devstral' as const
  return {
    llamaCpp: { tag: llamaTag, archive },
    model: { name: 'sentence', ...model, contextLimit, geometry },
    further: [{ name: 'caller', ...further, contextLimit, geometry: furtherGeometry, template }],
    companions: await companionValues(baseUrl),
  }
}

/** The models for the services beside chat: name, kind, file. None is baked in. */
const companions = [
  { name: 'infill', kind: 'completion', file: infillModel, infill: infillTokens },
  // Editors that write the tokens around a gap themselves know them by the model's name.
  { name: 'qwen2.5-coder-gaps', kind: 'completion', file: infillModel, infill: infillTokens },
  { name: 'vectors', kind: 'embeddings', file: () => vectorModel('qwen3-embedding'), pooling: 'last' },
  { name: 'bert', kind: 'embeddings', file: () => vectorModel('nomic-bert'), pooling: 'mean' },
  { name: 'ranker', kind: 'reranking', file: () => vectorModel('qwen3-reranker'), pooling: 'rank' },
] as const

/** The path of such a model's file. */
export const companionFile = (name: string): Promise<string> => {
  const found = companions.find(one => one.name === name)
  if (found === undefined) throw new Error(`The mirror has no model ${name}`)
  return found.file()
}

async function companionValues(baseUrl: string): Promise<CompanionModel[]> {
  const values: CompanionModel[] = []
  for (const { file, ...model } of companions) {
    const path = await file()
    const { geometry, contextLimit: limit } = await readModelFile(path)
    values.push({
      ...model,
      ...published(path, `${baseUrl}/${model.name}.gguf`),
      contextLimit: limit,
      geometry,
    })
  }
  return values
}

function published(path: string, url: string) {
  const bytes = readFileSync(path)
  return { url, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}
