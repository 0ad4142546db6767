/** The models that the appliance knows: geometry, limits, licences, sampling defaults. */
import * as z from 'zod'
import { weights } from '../pins.ts'
import { shortestContext } from '../sizing/limits.ts'
import { geometrySchema } from './geometry.ts'
import { thinkingKinds } from './thinking.ts'

/** The publisher's sampling defaults; absent if it states none. A request's own values win. */
const samplingSchema = z.strictObject({
  temperature: z.number().min(0).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.int().min(0).optional(),
  minP: z.number().min(0).max(1).optional(),
  repetitionPenalty: z.number().positive().optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
})

/** The appliance's own chat templates, by the models whose format they render. */
export const templateNames = ['devstral', 'qwen3.5'] as const

export type TemplateName = (typeof templateNames)[number]

export type Sampling = z.infer<typeof samplingSchema>

const percent = z.number().min(0).max(100)

export const modelSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  url: z.url({ protocol: /^(https?|file)$/ }),
  /** Bytes of the GGUF file. */
  size: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The longest context that the model was trained for, in tokens. */
  contextLimit: z.int().min(shortestContext),
  geometry: geometrySchema,
  /** The appliance's own chat template to serve it with; absent: the one inside the GGUF file. */
  template: z.enum(templateNames).optional(),
  /** SPDX licence expression; LicenseRef- where SPDX lists none. */
  licence: z.string().optional(),
  sampling: samplingSchema.optional(),
  /** Whether it thinks before it answers; absent: never. */
  thinking: z.enum(thinkingKinds).optional(),
  /** The publisher's sampling defaults for when it does not, if others. */
  samplingWithoutThinking: samplingSchema.optional(),
  /** Whether it was trained to fill gaps in code (`/infill`), so that completion needs no model of its own. */
  infills: z.literal(true).optional(),
  /**
   * Percent of SWE-bench Verified (real issues of GitHub projects) that it solves: measured by others, and by its
   * makers.
   */
  quality: z.strictObject({ independent: percent, maker: percent.optional() }).optional(),
  /** What it is good at, on one line. */
  goodAt: z.string().max(60).optional(),
  /** Set for a model of the administrator's own, by URL and digest: what its header says, which nobody has checked. */
  own: z
    .strictObject({
      licence: z.string().max(100).optional(),
      hasTemplate: z.boolean(),
    })
    .optional(),
})

export type Model = z.infer<typeof modelSchema>

/**
 * Geometry: from the publishers' configurations and llama-quantize's choice of tensor types; the sums agree
 * with each file's size. The bake reads it from the file's own header. Sampling: from the model cards
 * (Devstral's example), Qwen2.5's generation_config.json, openai/gpt-oss's README.
 */
export const catalogue = {
  'devstral-small-2': {
    name: 'devstral-small-2',
    ...weights['devstral-small-2'],
    contextLimit: 393_216,
    geometry: {
      layers: 40,
      kvHeads: 8,
      headSize: 128,
      queries: 4096,
      embedding: 5120,
      feedForward: 32_768,
      vocabulary: 131_072,
      merges: 269_443,
      repackable: 10_557_849_600,
      amx: { source: 13_946_880_000, copies: 14_240_153_600 },
      active: 13_948_538_880,
      activeParameters: 22_901_314_560,
    },
    template: 'devstral',
    licence: 'Apache-2.0',
    sampling: { temperature: 0.15 },
    quality: { independent: 59.1, maker: 68 },
    goodAt: 'Agents that read, edit and run code with tools.',
  },
  'qwen3-coder-30b-a3b': {
    name: 'qwen3-coder-30b-a3b',
    ...weights['qwen3-coder-30b-a3b'],
    contextLimit: 262_144,
    geometry: {
      layers: 48,
      kvHeads: 4,
      headSize: 128,
      queries: 4096,
      embedding: 2048,
      feedForward: 8 * 768,
      expertAnswers: 8 * 2048,
      vocabulary: 151_936,
      merges: 151_387,
      repackable: 14_084_997_120,
      amx: { source: 14_360_893_440, copies: 14_374_656_000 },
      active: 1_919_596_544,
      activeParameters: 3_041_867_776,
    },
    licence: 'Apache-2.0',
    sampling: { temperature: 0.7, topP: 0.8, topK: 20, repetitionPenalty: 1.05 },
    infills: true,
    quality: { independent: 31.8 },
    goodAt: 'Code and agents, several times as fast as a dense model.',
  },
  'qwen3.6-35b-a3b': {
    name: 'qwen3.6-35b-a3b',
    ...weights['qwen3.6-35b-a3b'],
    contextLimit: 262_144,
    geometry: {
      layers: 10,
      kvHeads: 2,
      headSize: 256,
      queries: 4096,
      embedding: 2048,
      feedForward: 8 * 512,
      expertAnswers: 8 * 2048,
      vocabulary: 248_320,
      merges: 247_788,
      recurrent: { layers: 30, convolved: 8192, history: 3, values: 4096, state: 524_288 },
      repackable: 12_079_595_520,
      amx: { source: 13_989_683_200, copies: 14_165_319_680 },
      active: 2_626_185_728,
      activeParameters: 2_946_429_568,
    },
    template: 'qwen3.5',
    licence: 'Apache-2.0',
    sampling: { temperature: 0.6, topP: 0.95, topK: 20, minP: 0 },
    thinking: 'optional',
    samplingWithoutThinking: { temperature: 0.7, topP: 0.8, topK: 20, minP: 0, presencePenalty: 1.5 },
    quality: { independent: 64.4, maker: 73.4 },
    goodAt: 'Agents, faster than a dense model; thinks before it answers.',
  },
  'gpt-oss-20b': {
    name: 'gpt-oss-20b',
    ...weights['gpt-oss-20b'],
    contextLimit: 131_072,
    geometry: {
      layers: 24,
      kvHeads: 8,
      headSize: 64,
      queries: 4096,
      embedding: 2880,
      feedForward: 4 * 2880,
      expertAnswers: 4 * 2880,
      vocabulary: 201_088,
      merges: 446_189,
      slidingWindow: { layers: 12, tokens: 128 },
      repackable: 10_152_345_600,
      amx: { source: 11_444_497_920, copies: 11_596_515_840 },
      active: 2_574_702_336,
      activeParameters: 3_608_307_264,
    },
    licence: 'Apache-2.0',
    sampling: { temperature: 1, topP: 1 },
    thinking: 'always',
    goodAt: 'Reasoning and tools, fast; thinks before it answers.',
  },
  'qwen2.5-coder-3b': {
    name: 'qwen2.5-coder-3b',
    ...weights['qwen2.5-coder-3b'],
    contextLimit: 32_768,
    geometry: {
      layers: 36,
      kvHeads: 2,
      headSize: 128,
      queries: 2048,
      embedding: 2048,
      feedForward: 11_008,
      vocabulary: 151_936,
      merges: 151_387,
      repackable: 1_327_104_000,
      amx: { source: 1_922_979_840, copies: 1_959_843_840 },
      active: 1_923_946_496,
      activeParameters: 3_085_938_688,
    },
    // Not for commercial use.
    licence: 'LicenseRef-Qwen-Research',
    sampling: { temperature: 0.7, topP: 0.8, topK: 20 },
    goodAt: 'Completions and short questions on a small VM.',
  },
} as const satisfies Record<string, Model>
