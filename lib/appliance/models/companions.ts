/** The models of the services beside chat, and what their services need to know of them. */
import * as z from 'zod'
import { companionWeights } from '../pins.ts'
import { companionKinds } from '../requests/services.ts'
import { modelSchema } from './catalogue.ts'

export const companionModelSchema = modelSchema.omit({ template: true, sampling: true }).extend({
  kind: z.enum(companionKinds),
  /** Whether it is in the image; otherwise it is downloaded once the context asks for it by name. */
  isBaked: z.literal(true).optional(),
  /** The tokens around what precedes and what follows the gap that a completion fills. */
  infill: z.strictObject({ prefix: z.string(), suffix: z.string(), middle: z.string() }).optional(),
  /** How the vectors of all tokens become one (llama-server's `--pooling`). An encoder's is `mean`. */
  pooling: z.enum(['last', 'mean', 'rank']).optional(),
  /** What clients must put before a query, and before each text that is searched. */
  prefixes: z.strictObject({ query: z.string(), document: z.string() }).optional(),
})

export type CompanionModel = z.infer<typeof companionModelSchema>

const qwenInfill = { prefix: '<|fim_prefix|>', suffix: '<|fim_suffix|>', middle: '<|fim_middle|>' }

/** Of both models made from Qwen3-0.6B. */
const qwen3Small = {
  layers: 28,
  kvHeads: 8,
  headSize: 128,
  queries: 2048,
  embedding: 1024,
  feedForward: 3072,
  vocabulary: 151_669,
  merges: 151_387,
  repackable: 0,
  amx: { source: 467_927_040, copies: 522_977_280 },
  active: 633_205_056,
  activeParameters: 595_776_512,
}

/**
 * The first of each kind is the default. Geometry: from the publishers' configurations; the sums agree with the
 * files' sizes.
 */
export const companionCatalogue = {
  'qwen2.5-coder-1.5b': {
    name: 'qwen2.5-coder-1.5b',
    kind: 'completion',
    ...companionWeights['qwen2.5-coder-1.5b'],
    contextLimit: 32_768,
    geometry: {
      layers: 28,
      kvHeads: 2,
      headSize: 128,
      queries: 1536,
      embedding: 1536,
      feedForward: 8960,
      vocabulary: 151_936,
      merges: 151_387,
      repackable: 0,
      amx: { source: 1_640_042_496, copies: 1_832_988_672 },
      active: 1_640_622_080,
      activeParameters: 1_543_714_304,
    },
    infill: qwenInfill,
    licence: 'Apache-2.0',
    goodAt: 'Completion while typing.',
  },
  'qwen2.5-coder-0.5b': {
    name: 'qwen2.5-coder-0.5b',
    kind: 'completion',
    ...companionWeights['qwen2.5-coder-0.5b'],
    contextLimit: 32_768,
    geometry: {
      layers: 24,
      kvHeads: 2,
      headSize: 64,
      queries: 896,
      embedding: 896,
      feedForward: 4864,
      vocabulary: 151_936,
      merges: 151_387,
      repackable: 0,
      amx: { source: 524_833_792, copies: 586_578_944 },
      active: 525_120_000,
      activeParameters: 494_032_768,
    },
    infill: qwenInfill,
    licence: 'Apache-2.0',
    goodAt: 'Completion on few cores, of lower quality.',
  },
  'qwen2.5-coder-7b': {
    name: 'qwen2.5-coder-7b',
    kind: 'completion',
    ...companionWeights['qwen2.5-coder-7b'],
    contextLimit: 32_768,
    geometry: {
      layers: 28,
      kvHeads: 4,
      headSize: 128,
      queries: 3584,
      embedding: 3584,
      feedForward: 18_944,
      vocabulary: 152_064,
      merges: 151_387,
      repackable: 0,
      amx: { source: 7_512_178_688, copies: 8_395_964_416 },
      active: 7_513_511_936,
      activeParameters: 7_070_619_136,
    },
    infill: qwenInfill,
    licence: 'Apache-2.0',
    goodAt: 'Completion on many cores, of higher quality.',
  },
  'qwen3-embedding-0.6b': {
    name: 'qwen3-embedding-0.6b',
    kind: 'embeddings',
    ...companionWeights['qwen3-embedding-0.6b'],
    contextLimit: 32_768,
    geometry: qwen3Small,
    pooling: 'last',
    prefixes: {
      query: 'Instruct: Given a question, retrieve the code that answers it\nQuery: ',
      document: '',
    },
    licence: 'Apache-2.0',
    goodAt: 'Search over code and text, in many languages.',
  },
  'nomic-embed-text-v1.5': {
    name: 'nomic-embed-text-v1.5',
    kind: 'embeddings',
    ...companionWeights['nomic-embed-text-v1.5'],
    contextLimit: 2048,
    geometry: {
      layers: 12,
      kvHeads: 12,
      headSize: 64,
      queries: 768,
      embedding: 768,
      feedForward: 3072,
      vocabulary: 30_522,
      merges: 0,
      repackable: 0,
      amx: { source: 120_324_096, copies: 134_479_872 },
      active: 145_380_576,
      activeParameters: 136_724_736,
    },
    pooling: 'mean',
    prefixes: { query: 'search_query: ', document: 'search_document: ' },
    licence: 'Apache-2.0',
    goodAt: 'Search over English text, small and fast.',
  },
  'qwen3-reranker-0.6b': {
    name: 'qwen3-reranker-0.6b',
    kind: 'reranking',
    ...companionWeights['qwen3-reranker-0.6b'],
    contextLimit: 32_768,
    geometry: qwen3Small,
    pooling: 'rank',
    licence: 'Apache-2.0',
    goodAt: 'Ranks the results of a search.',
  },
} as const satisfies Record<string, CompanionModel>

export const companionNames = Object.keys(companionCatalogue) as (keyof typeof companionCatalogue)[]
