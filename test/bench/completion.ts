/** Completion and embeddings beside chat, by CPU weight and threads: how long they take, and what chat loses. */
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { allOf, quantisedModel } from '../mirror/quantised-model.ts'
import { complete, randomTokens } from './asking.ts'
import { median } from './measure.ts'
import { saveResults } from './results.ts'
import { table } from './table.ts'
import { ourSettings } from './variants.ts'

const rounds = 3
const contextTokens = 1500
const newTokens = 150
const answerTokens = 32
const cpus = availableParallelism()

type Variant = { name: string; weight: string; threads: number }
const half = Math.max(1, Math.floor(cpus / 2))
const variants: Variant[] = [
  { name: 'weight 100, all threads', weight: '100', threads: cpus },
  { name: 'weight 1000, all threads', weight: '1000', threads: cpus },
  { name: 'weight 1000, half the threads', weight: '1000', threads: half },
]

/** A tenth of the chat model's bytes, as the 1.5B is of a 24B. */
const smallModel = () =>
  quantisedModel(
    'bench-completion',
    {
      architecture: 'llama',
      width: 256,
      layers: 8,
      feedForward: 704,
      heads: { query: 2, keyValue: 1, size: 128 },
      contextLimit: 32_768,
    },
    allOf('q8_0'),
  )

/** A control group for processes, with a share of CPU time (cgroups, version 1: cpu.shares, 1024 for a weight of 100). */
function controlGroup(name: string, weight: string) {
  const folder = `/sys/fs/cgroup/cpu/${name}`
  mkdirSync(folder, { recursive: true })
  const shares = weight === 'idle' ? 2 : Math.round((Number(weight) / 100) * 1024)
  writeFileSync(`${folder}/cpu.shares`, String(shares))
  return {
    take: (pid: number | undefined) => writeFileSync(`${folder}/cgroup.procs`, String(pid)),
    remove: () => rmdirSync(folder),
  }
}

type StartIn = (
  group: string,
  weight: string,
  program: string,
  settings: Record<string, string>,
) => Promise<{ llama: BareLlama; stop: () => Promise<void> }>

/** Runs llama-servers in groups of their own, below one that other work on this machine disturbs little. */
async function inGroups<T>(act: (start: StartIn) => Promise<T>): Promise<T> {
  const parent = controlGroup('slm-bench', '6400')
  const stops: (() => Promise<void>)[] = []
  const startIn: StartIn = async (group, weight, program, settings) => {
    const own = controlGroup(`slm-bench/${group}`, weight)
    const llama = await startBareLlama(program, settings)
    own.take(llama.pid)
    const stop = async () => {
      await llama.stop()
      own.remove()
    }
    stops.push(stop)
    return {
      llama,
      stop: async () => {
        stops.splice(stops.indexOf(stop), 1)
        await stop()
      },
    }
  }
  try {
    return await act(startIn)
  } finally {
    for (const stop of stops.splice(0)) await stop()
    parent.remove()
  }
}
type Situation = 'idle' | 'generating' | 'computing a prompt'

/** Keeps chat busy until told to stop; resolves with its tokens per second. */
function busy(chat: BareLlama, situation: Exclude<Situation, 'idle'>) {
  let isOver = false
  const done = (async () => {
    const rates: number[] = []
    while (!isOver) {
      const answer =
        situation === 'generating'
          ? await complete(chat, randomTokens(8), 64)
          : await complete(chat, randomTokens(768), 1)
      rates.push(situation === 'generating' ? answer.generation.rate : answer.prompt.rate)
    }
    return median(rates)
  })()
  return {
    stop: () => {
      isOver = true
      return done
    },
  }
}

/** Seconds to the first token and to the last, with everything to compute, and with nine tenths cached. */
async function typing(llama: BareLlama) {
  const figures = {
    coldFirst: [] as number[],
    coldLast: [] as number[],
    first: [] as number[],
    last: [] as number[],
  }
  for (let round = 0; round < rounds; round += 1) {
    const context = randomTokens(contextTokens - newTokens)
    const cold = await complete(llama, [...context, ...randomTokens(newTokens)], answerTokens)
    const warm = await complete(llama, [...context, ...randomTokens(newTokens)], answerTokens)
    const last = (answer: typeof cold) => answer.prompt.seconds + (answerTokens - 1) / answer.generation.rate
    figures.coldFirst.push(cold.prompt.seconds)
    figures.coldLast.push(last(cold))
    figures.first.push(warm.prompt.seconds)
    figures.last.push(last(warm))
  }
  return Object.fromEntries(Object.entries(figures).map(([name, values]) => [name, median(values)]))
}

const seconds = (value: number | undefined) => (value ?? Number.NaN).toFixed(2)

export async function benchCompletion(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const ours = {
      ...(await ourSettings()),
      LLAMA_ARG_THREADS: String(cpus),
      LLAMA_ARG_CTX_SIZE: '4096',
      LLAMA_ARG_N_PARALLEL: '1',
      LLAMA_ARG_KV_UNIFIED_PER_SLOT: '4096',
    }
    await saveResults('completion', 'Completion and embeddings beside chat', ours, () =>
      inGroups(async start => {
        const { llama: chat } = await start('chat', '100', program, ours)
        const small = {
          ...ours,
          LLAMA_ARG_MODEL: await smallModel(),
          LLAMA_ARG_BATCH: '1024',
          LLAMA_ARG_UBATCH: '1024',
        }
        const own = await chatAlone(chat)
        const rows: string[][] = []
        for (const variant of variants)
          rows.push(...(await typedBeside(start, program, chat, small, variant, own)))
        const indexed = await indexing(start, program, chat, small, own)
        return `${table(['completion', 'chat', 'first token', '32 tokens', 'first, 90 % cached', '32, 90 % cached', "chat's speed"], rows)}

Seconds; ${contextTokens} tokens of context, completions one after the other without a pause; chat's speed as a share of its speed alone.

${indexed}`
      }),
    )
  } finally {
    remove()
  }
}

type Own = Record<Exclude<Situation, 'idle'>, number>

async function chatAlone(chat: BareLlama): Promise<Own> {
  const rateOf = async (situation: Exclude<Situation, 'idle'>) => {
    const load = busy(chat, situation)
    await new Promise(resolve => setTimeout(resolve, 8000))
    return load.stop()
  }
  return { generating: await rateOf('generating'), 'computing a prompt': await rateOf('computing a prompt') }
}

async function typedBeside(
  start: StartIn,
  program: string,
  chat: BareLlama,
  settings: Record<string, string>,
  { name, weight, threads }: Variant,
  own: Own,
): Promise<string[][]> {
  const { llama, stop } = await start('completion', weight, program, {
    ...settings,
    LLAMA_ARG_THREADS: String(threads),
  })
  const rows: string[][] = []
  for (const situation of ['idle', 'generating', 'computing a prompt'] as const) {
    const load = situation === 'idle' ? undefined : busy(chat, situation)
    const { coldFirst, coldLast, first, last } = await typing(llama)
    const rate = await load?.stop()
    const share = rate === undefined || situation === 'idle' ? '' : (rate / own[situation]).toFixed(2)
    rows.push([name, situation, seconds(coldFirst), seconds(coldLast), seconds(first), seconds(last), share])
  }
  await stop()
  return rows
}

const chunks = 1000
const chunkTokens = 64

/** A batch of chunks, with chat idle and generating; and how far vectors differ by slot and batch. */
async function indexing(
  start: StartIn,
  program: string,
  chat: BareLlama,
  settings: Record<string, string>,
  own: Own,
): Promise<string> {
  const rows: string[][] = []
  const vectors: number[][][] = []
  const input = Array.from({ length: chunks }, () => randomTokens(chunkTokens))
  for (const slots of [1, 4]) {
    const { llama, stop } = await start('embeddings', 'idle', program, {
      ...settings,
      LLAMA_ARG_EMBEDDINGS: '1',
      LLAMA_ARG_POOLING: 'last',
      LLAMA_ARG_CACHE_PROMPT: '0',
      LLAMA_ARG_CACHE_RAM: '0',
      LLAMA_ARG_N_PARALLEL: String(slots),
      LLAMA_ARG_CTX_SIZE: String(slots * 2048),
      LLAMA_ARG_KV_UNIFIED_PER_SLOT: '2048',
      LLAMA_ARG_BATCH: '2048',
      LLAMA_ARG_UBATCH: '2048',
    })
    for (const isGenerating of [false, true]) {
      const load = isGenerating ? busy(chat, 'generating') : undefined
      const begun = performance.now()
      const answer = (await llama.post('/v1/embeddings', { input })) as { data: { embedding: number[] }[] }
      const took = (performance.now() - begun) / 1000
      const rate = await load?.stop()
      vectors.push(answer.data.map(({ embedding }) => embedding))
      rows.push([
        `${slots} slot${slots === 1 ? '' : 's'}`,
        isGenerating ? 'generating' : 'idle',
        took.toFixed(1),
        (chunks / took).toFixed(0),
        rate === undefined ? '' : (rate / own.generating).toFixed(2),
      ])
    }
    await stop()
  }
  const [alone = [], ...others] = vectors
  const differences = others.map(other =>
    Math.max(
      ...alone.map((one, index) =>
        Math.max(...one.map((value, at) => Math.abs(value - (other[index]?.[at] ?? Number.NaN)))),
      ),
    ),
  )
  return `${table(['embeddings', 'chat', 'seconds', 'chunks per second', "chat's speed"], rows)}

${chunks} chunks of ${chunkTokens} tokens in one request, with the CPU weight "idle". The largest difference between elements of the vectors (of unit length) from the first row's: ${differences.map(value => value.toExponential(1)).join(', ')}.`
}
