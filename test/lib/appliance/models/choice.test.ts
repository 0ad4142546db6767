import { expect, it } from 'vitest'
import { catalogue, type Model } from '../../../../lib/appliance/models/catalogue.ts'
import { chooseModel, chooseRequested, type ModelChoice } from '../../../../lib/appliance/models/choice.ts'
import { mirrored, productionRelease } from '../../../../lib/appliance/models/release.ts'
import type { ModelState } from '../../../../lib/appliance/models/verification.ts'

const memory = 33_000_000_000
const baked: Model = productionRelease.model
const other: Model = catalogue['gpt-oss-20b']
const previous: Model = catalogue['qwen2.5-coder-3b']
const request = {
  model: other.name as string | undefined,
  modelUrl: undefined as string | undefined,
  modelMirror: undefined as string | undefined,
  contextSize: 32_768,
  parallel: 'auto' as const,
  threads: 0,
}
const pendingIn = (choice: ModelChoice) => ('pending' in choice ? choice.pending : undefined)

type World = {
  asks?: Partial<typeof request>
  states?: Record<string, ModelState>
  tooLarge?: Model[]
  memory?: number
  served?: string
}
const choose = ({ asks = {}, states = {}, tooLarge = [], memory: bytes = memory, served }: World = {}) =>
  chooseModel(
    productionRelease,
    { ...request, ...asks },
    {
      memory: bytes,
      stateOf: ({ name }) => states[name] ?? { state: 'not requested' },
      misfit: ({ name }) => (tooLarge.some(model => model.name === name) ? 'It is too large.' : undefined),
      served,
    },
  )

const pending = pendingIn(choose())
const circumstances = pending?.circumstances ?? ''
const verified: ModelState = { state: 'verified' }
const unverified: ModelState = { state: 'pending verification' }
const failed: ModelState = { state: 'failed', isDownloaded: true, circumstances, reason: 'It fell over.' }
const retry = 'To try again: slm-copilot fetch-model --retry'
const meanwhile = (name: string) =>
  `gpt-oss-20b is not in the image: serving ${name} until it is downloaded and answers.`
const waiting =
  'gpt-oss-20b is not in the image, and no installed model fits: nothing is served until it is downloaded and answers.'

type ChoiceRow = [string, World, ModelChoice]
it.each<ChoiceRow>([
  ['nothing requested', { asks: { model: undefined } }, { state: 'serving', model: baked }],
  ['the baked model', { asks: { model: baked.name } }, { state: 'serving', model: baked }],
  ['a verified model', { states: { [other.name]: verified } }, { state: 'serving', model: other }],
  [
    'a model that is not downloaded',
    {},
    { state: 'serving', model: baked, pending: pending as never, note: meanwhile(baked.name) },
  ],
  [
    'a model that is not downloaded, while a third one is served',
    { states: { [previous.name]: verified }, served: previous.name },
    { state: 'serving', model: previous, pending: pending as never, note: meanwhile(previous.name) },
  ],
  [
    'a model that is not downloaded, while a third one is there and not served',
    { states: { [previous.name]: verified }, served: baked.name },
    { state: 'serving', model: baked, pending: pending as never, note: meanwhile(baked.name) },
  ],
  [
    'a model that is not downloaded, while one is served that has been removed, or no longer fits',
    { served: previous.name },
    { state: 'serving', model: baked, pending: pending as never, note: meanwhile(baked.name) },
  ],
  [
    'a model that is not downloaded, while it is said to be served itself',
    { states: { [previous.name]: verified }, served: other.name },
    { state: 'serving', model: baked, pending: pending as never, note: meanwhile(baked.name) },
  ],
  [
    'a model that has not answered yet',
    { states: { [other.name]: unverified } },
    { state: 'serving', model: baked, pending: pending as never, note: meanwhile(baked.name) },
  ],
  [
    'a model that failed',
    { states: { [other.name]: failed } },
    {
      state: 'serving',
      model: baked,
      note: `gpt-oss-20b is not served: It fell over. Serving devstral-small-2. ${retry}`,
    },
  ],
  [
    'a model that does not fit',
    { tooLarge: [other] },
    { state: 'serving', model: baked, note: 'It is too large. Serving devstral-small-2.' },
  ],
  [
    'a verified model that does not fit',
    { tooLarge: [other], states: { [other.name]: verified } },
    { state: 'serving', model: baked, note: 'It is too large. Serving devstral-small-2.' },
  ],
  [
    'the baked model too large',
    { tooLarge: [baked] },
    { state: 'waiting', model: other, pending: pending as never, reason: waiting },
  ],
  [
    'the baked model too large, the requested one downloaded',
    { tooLarge: [baked], states: { [other.name]: unverified } },
    { state: 'waiting', model: other, pending: pending as never, reason: waiting },
  ],
  [
    'the baked model too large, the requested one verified',
    { tooLarge: [baked], states: { [other.name]: verified } },
    { state: 'serving', model: other },
  ],
  [
    'the baked model too large, the requested one failed',
    { tooLarge: [baked], states: { [other.name]: failed } },
    {
      state: 'unavailable',
      model: other,
      reason: 'gpt-oss-20b is not served: It fell over. No other installed model fits.',
      fix: retry,
    },
  ],
  [
    'the baked model too large, a third one verified earlier',
    { tooLarge: [baked], states: { [previous.name]: verified } },
    { state: 'serving', model: previous, pending: pending as never, note: meanwhile(previous.name) },
  ],
  [
    'the baked model too large, a third one that has not answered',
    { tooLarge: [baked], states: { [previous.name]: unverified } },
    { state: 'waiting', model: other, pending: pending as never, reason: waiting },
  ],
  [
    'the baked model too large, the requested one failed, a third one verified earlier',
    { tooLarge: [baked], states: { [other.name]: failed, [previous.name]: verified } },
    {
      state: 'serving',
      model: previous,
      note: `gpt-oss-20b is not served: It fell over. Serving qwen2.5-coder-3b. ${retry}`,
    },
  ],
  [
    'only a third model that was verified earlier fits',
    { tooLarge: [baked, other], states: { [previous.name]: verified } },
    { state: 'serving', model: previous, note: 'It is too large. Serving qwen2.5-coder-3b.' },
  ],
])('%s', (_, world, choice) => {
  expect(choose(world)).toEqual(choice)
})

it('prefers the baked model to one that was verified earlier', () => {
  expect(choose({ states: { [previous.name]: verified } }).model).toEqual(baked)
})

it.each<[string, Partial<World>, boolean]>([
  ['with a few megabytes less', { memory: memory - 5_000_000 }, false],
  ['with half the memory', { memory: memory / 2 }, true],
  ['with a smaller context', { asks: { contextSize: 512 } }, true],
  ['from a mirror', { asks: { modelMirror: 'http://10.0.0.1' as never } }, true],
])('tries a failed model again %s: %s', (_, circumstance, isTried) => {
  const choice = choose({ states: { [other.name]: failed }, ...circumstance })
  expect(pendingIn(choice) !== undefined).toBe(isTried)
})

it('refuses a model that does not fit if no other does', () => {
  expect(() => choose({ tooLarge: [baked, other] })).toThrow('It is too large.')
})

it.each([
  [undefined, other.url],
  ['https://mirror.example.com/models', 'https://mirror.example.com/models/gpt-oss-20b-MXFP4.gguf'],
  ['http://10.0.0.1:8080//', 'http://10.0.0.1:8080/gpt-oss-20b-MXFP4.gguf'],
])('with the mirror %s, downloads from %s', (mirror, url) => {
  expect(mirrored(mirror, other).url).toBe(url)
})

const wanted = { url: 'https://a.example/own.gguf', sha256: 'b'.repeat(64) }
const own: Model = { ...other, name: 'own', ...wanted }
const unread = { ...wanted, problem: 'Its header is missing.', isRetried: true }
const asksForOwn = {
  ...request,
  model: undefined,
  modelUrl: wanted.url,
  modelMirror: 'http://mirror.example',
}
const knowing = (tooLarge: Model[] = []) => ({
  memory,
  stateOf: (): ModelState => ({ state: 'not requested' }),
  misfit: ({ name }: Model) => (tooLarge.some(model => model.name === name) ? 'It is too large.' : undefined),
})

it('has a model by URL downloaded from there, whatever the mirror, while another serves', () => {
  const choice = chooseRequested(productionRelease, { model: own }, asksForOwn, knowing())
  expect(choice).toMatchObject({ state: 'serving', model: baked, pending: { model: own, url: wanted.url } })
})

it('without a URL, chooses by the name', () => {
  expect(chooseRequested(productionRelease, undefined, request, knowing())).toEqual(choose())
})

it('refuses a model by URL that does not fit', () => {
  const choice = chooseRequested(productionRelease, { model: own }, asksForOwn, knowing([own]))
  expect(choice).toEqual({
    state: 'serving',
    model: baked,
    note: 'It is too large. Serving devstral-small-2.',
  })
})

it('serves another model while the header of the requested one is unknown', () => {
  expect(chooseRequested(productionRelease, unread, asksForOwn, knowing())).toEqual({
    state: 'serving',
    model: baked,
    note: 'Its header is missing. Serving devstral-small-2.',
  })
  expect(() => chooseRequested(productionRelease, unread, asksForOwn, knowing([baked]))).toThrow(
    'Its header is missing. No installed model fits in its place.',
  )
})

it('serves at once what the URL has, if it is the model in the image', () => {
  const same = { ...baked, url: wanted.url }
  expect(chooseRequested(productionRelease, { model: same }, asksForOwn, knowing())).toEqual({
    state: 'serving',
    model: baked,
  })
})

it('downloads a model of the catalogue from the URL, if it is one by its digest', () => {
  const same = { ...other, url: wanted.url }
  const choice = chooseRequested(productionRelease, { model: same }, asksForOwn, knowing())
  expect(choice).toMatchObject({ pending: { model: same, url: wanted.url } })
})
