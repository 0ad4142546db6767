/** Two keys on one llama-server: no answer depends on what the other has sent, and no count reveals it. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { filterRequest } from '../../lib/edge/filter.ts'
import { saltOf } from '../../lib/render/nginx/tenants.ts'
import { http } from '../../lib/system/http.ts'
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { contextModel } from '../mirror/context-model.ts'
import { seededRandom } from './support/seeded-random.ts'
import { type Options, type Stack, startStack } from './support/stack.ts'
import { generate } from './support/streams.ts'

const keys = { alice: 'alice-has-this-key', bob: 'bob-has-another-key' }
type TenantName = keyof typeof keys
type Body = Record<string, unknown>

const startWith = async (context: Record<string, string>, options: Options = {}) =>
  startStack(
    {
      ONEAPP_COPILOT_KEYS: Object.entries(keys)
        .map(pair => pair.join('='))
        .join(' '),
      ONEAPP_COPILOT_PARALLEL: '3',
      ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
      ...context,
    },
    { settings: { LLAMA_ARG_MODEL: await contextModel() }, ...options },
  )

/** Retries until admitted: an abandoned generation occupies its slot for a moment. */
async function ask(stack: Stack, name: TenantName, path: string, json: Body): Promise<string> {
  const headers = { authorization: `Bearer ${keys[name]}` }
  for (;;) {
    const { status, body } = await http({
      url: `${stack.url}${path}`,
      ca: stack.ca,
      headers,
      json,
      timeout: 60,
    })
    if (status === 200) return body
    if (status !== 429) throw new Error(`${path}: ${status} ${body}`)
    await setTimeout(20)
  }
}

/** The largest count of reused tokens in an answer. */
const reused = (answer: string) =>
  Math.max(
    0,
    ...[...answer.matchAll(/"(?:cached_tokens|cache_read_input_tokens|cache_n)":(\d+)/g)].map(found =>
      Number(found[1]),
    ),
  )

/** The maximum number of tokens before a tenant's tag: those of the template, which this vocabulary spells out. */
const beforeMark = 12

const secret = `The password is ${'swordfish and seven tall ships, '.repeat(20)}.`
const rendered = `[INST]${secret}[/INST]`
const chat = { messages: [{ role: 'user', content: secret }] }
const requests: [string, Body][] = [
  ['/v1/chat/completions', { ...chat, max_tokens: 2 }],
  ['/v1/messages', { ...chat, max_tokens: 2 }],
  ['/v1/responses', { input: secret, max_output_tokens: 2 }],
  ['/v1/completions', { prompt: rendered, max_tokens: 2 }],
]

/** The reused tokens reported to each key for a text that alice has sent: all pairs of paths, each on a new server. */
async function reuse(stack: Stack, isSetAside: boolean) {
  const found: Record<TenantName, number[]> = { alice: [], bob: [] }
  for (const [path, request] of requests)
    for (const [otherPath, replay] of requests) {
      await stack.stopLlama()
      await stack.startLlama()
      await ask(stack, 'alice', path, request)
      if (isSetAside)
        for (let count = 0; count < 4; count++)
          await ask(stack, 'alice', '/v1/completions', { prompt: `${count} `.repeat(50), max_tokens: 1 })
      if (path === otherPath) found.alice.push(reused(await ask(stack, 'alice', path, request)))
      found.bob.push(reused(await ask(stack, 'bob', otherPath, replay)))
    }
  return found
}

const shared = { ONEAPP_COPILOT_SHARED_CACHE: 'YES' }
/** Passes on llama-server's counts, to prove that the test would notice reuse. */
const unfiltered: Options = { admission: text => text.replaceAll(/^.*js_(?:header|body)_filter.*$/gm, '') }

it.each([
  { context: {}, options: {}, isSetAside: false, alice: 'her own', bob: 'nothing' },
  { context: {}, options: {}, isSetAside: true, alice: 'her own', bob: 'nothing' },
  { context: shared, options: unfiltered, isSetAside: false, alice: 'her own', bob: 'hers' },
  { context: shared, options: {}, isSetAside: false, alice: 'nothing', bob: 'nothing' },
])('with $context, set aside in RAM: $isSetAside, alice sees $alice, bob sees $bob', async row => {
  const stack = await startWith(row.context, row.options)
  try {
    const { alice, bob } = await reuse(stack, row.isSetAside)
    console.log({ alice, bob })
    if (row.alice === 'nothing') expect(Math.max(...alice)).toBe(0)
    else expect(Math.min(...alice)).toBeGreaterThan(100)
    if (row.bob === 'nothing') expect(Math.max(...bob)).toBeLessThanOrEqual(beforeMark)
    else expect(Math.max(...bob)).toBeGreaterThan(100)
  } finally {
    await stack.close()
  }
})

const seed = Number(process.env.TENANTS_SEED ?? 1)
const steps = Number(process.env.TENANTS_STEPS ?? 240)
const salts = { alice: saltOf(keys.alice), bob: saltOf(keys.bob) }

/** The words of each tenant. Their sentences differ, but their conversations begin with the same text. */
const vocabularies: Record<TenantName, string[]> = {
  alice: ['apple', 'amber', 'anchor', 'angel', 'arrow'],
  bob: ['butter', 'bishop', 'bridge', 'bronze', 'basket'],
}
const common = 'You are an assistant. Answer in few words. Here is what the tools can do: read, write, run. '

type TenantStep = { name: TenantName; kind: string; path: string; body: Body; isLeft: boolean }

/** A tenant's next request: a new conversation, a longer one, or the other's replayed, with fields that name slots. */
function nextStep(random: (below: number) => number, told: Record<TenantName, Body[][]>): TenantStep {
  const name: TenantName = random(2) === 0 ? 'alice' : 'bob'
  const other: TenantName = name === 'alice' ? 'bob' : 'alice'
  const pick = <T>(list: T[]) => list[random(list.length)] as T
  const sentence = () =>
    Array.from({ length: 3 + random(30) }, () => pick(vocabularies[name]))
      .join(' ')
      .concat('.')
  const conversations = told[name]
  const kind = pick(['new', 'new', 'longer', 'longer', 'replay', 'raw', 'raw replay'])
  let messages: Body[] = [
    { role: 'system', content: common },
    { role: 'user', content: sentence() },
  ]
  if (kind === 'longer' && conversations.length > 0)
    messages = [
      ...pick(conversations),
      { role: 'assistant', content: sentence() },
      { role: 'user', content: sentence() },
    ]
  if (kind.endsWith('replay') && told[other].length > 0) messages = pick(told[other])
  const isRaw = kind.startsWith('raw')
  if (!isRaw && kind !== 'replay') conversations.push(messages)
  const tricks: Body = pick([
    {},
    {},
    { id_slot: random(4) - 1 },
    { id_slot: random(4) - 1, cache_prompt: true },
    { cache_prompt: false },
    { n_cache_reuse: 1 },
    { n_keep: -1, id_slot: 0 },
    { return_progress: true, timings_per_token: true },
  ])
  const isLeft = random(5) === 0
  const asked = { ...tricks, temperature: 0, max_tokens: isLeft ? 400 : 1 + random(12) }
  const raw = messages.map(({ role, content }) =>
    role === 'system'
      ? `[SYSTEM_PROMPT]${content}[/SYSTEM_PROMPT]`
      : role === 'user'
        ? `[INST]${content}[/INST]`
        : `${content}</s>`,
  )
  return isRaw
    ? { name, kind, path: '/v1/completions', body: { ...asked, prompt: raw.join('') }, isLeft }
    : { name, kind, path: '/v1/chat/completions', body: { ...asked, messages }, isLeft }
}

const textOf = (answer: string): string => {
  const [choice] = JSON.parse(answer).choices
  return choice.message?.content ?? choice.text
}

let stack: Stack
let reference: BareLlama
let remove: () => void

beforeAll(async () => {
  stack = await startWith({})
  const unpacked = await unpackedLlama()
  remove = unpacked.remove
  reference = await startBareLlama(unpacked.program, {
    LLAMA_ARG_MODEL: await contextModel(),
    LLAMA_ARG_N_PARALLEL: '1',
    LLAMA_ARG_CTX_SIZE: '4096',
    LLAMA_ARG_CACHE_RAM: '0',
    LLAMA_ARG_THREADS: '1',
    LLAMA_ARG_FIT: 'off',
    LLAMA_ARG_FLASH_ATTN: 'on',
  })
})

afterAll(async () => {
  await reference?.stop()
  await stack?.close()
  remove?.()
})

type CompletionChoice = {
  message?: { content: string }
  text?: string
  logprobs: { content: { token: string; top_logprobs: { logprob: number }[] }[] }
}

/** The answer to the filtered request from a server that has computed nothing else. */
async function alone({ name, path, body }: TenantStep): Promise<CompletionChoice> {
  const settings = { models: ['context'], readsImages: false, vocabulary: 32_000, companions: {} }
  const filtered = filterRequest(path, JSON.stringify(body), settings, salts[name])
  if (!('body' in filtered)) throw new Error(JSON.stringify(filtered.error))
  const likeliest = path === '/v1/completions' ? { logprobs: 2 } : { logprobs: true, top_logprobs: 2 }
  const request = { ...JSON.parse(filtered.body), ...likeliest, id_slot: -1, cache_prompt: false }
  const answer = (await reference.post(path, request)) as { choices: [CompletionChoice] }
  return answer.choices[0]
}

/** Whether answers only differ from a token on that was as likely as another: rounding depends on the batch size. */
function isRounding(words: string, { logprobs }: CompletionChoice): boolean {
  let said = ''
  for (const {
    token,
    top_logprobs: [first, second],
  } of logprobs.content) {
    said += token
    if (!words.startsWith(said)) return (first?.logprob ?? 0) - (second?.logprob ?? -Infinity) < 0.05
  }
  return false
}

it(`answers ${steps} interleaved requests of two keys as separate servers would (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  const told: Record<TenantName, Body[][]> = { alice: [], bob: [] }
  const counts: Record<string, number> = {}
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }
  const wrong: string[] = []
  const take = async (step: TenantStep) => {
    count(step.kind)
    if (step.isLeft) {
      const left = await generate(stack, keys[step.name], step.path, step.body)
      await left.untilEvents(1 + random(6))
      left.disconnect()
      count(left.status === 200 ? 'left in mid-answer' : 'not admitted')
      return
    }
    const answer = await ask(stack, step.name, step.path, step.body)
    const words = textOf(answer)
    if (reused(answer) > beforeMark) count('with own tokens reused')
    const choice = await alone(step)
    const wanted = choice.message?.content ?? choice.text
    count('compared')
    if (words === wanted) return
    if (isRounding(words, choice)) count('equally likely')
    else wrong.push(`${step.name} ${step.kind} ${JSON.stringify(step.body)}: "${words}", alone "${wanted}"`)
  }
  const lane = async (share: number) => {
    for (let index = 0; index < share; index++) await take(nextStep(random, told))
  }
  await Promise.all([lane(steps / 3), lane(steps / 3), lane(steps / 3)])
  console.log(counts)
  expect(wrong).toEqual([])
  expect(counts.compared).toBeGreaterThan(steps / 2)
  expect(counts['with own tokens reused']).toBeGreaterThan(steps / 10)
}, 300_000)
