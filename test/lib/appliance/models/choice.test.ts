import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import {
  chooseModel,
  type ModelChoice,
  modelUrl,
  type Trials,
} from '../../../../lib/appliance/models/choice.ts'
import { productionRelease } from '../../../../lib/appliance/models/release.ts'

const memory = 33_000_000_000
const baked = productionRelease.model
const other = catalogue['gpt-oss-20b']
const asked = {
  model: other.name as string | undefined,
  modelMirror: undefined,
  contextSize: 32_768,
  parallel: 'auto' as const,
  threads: 0,
}
const pendingIn = (choice: ModelChoice) => ('pending' in choice ? choice.pending : undefined)
const isThere = () => true
const fits = () => undefined
const choose = (overrides: Partial<typeof asked> = {}, there: string[] = [], trials: Trials = {}) =>
  chooseModel(
    productionRelease,
    { ...asked, ...overrides },
    { memory, isThere: ({ name }) => there.includes(name), misfit: fits },
    trials,
  )
const pending = pendingIn(choose())
const circumstances = pending?.circumstances ?? ''
const underWay: Trials = { [other.sha256]: { outcome: 'under way', circumstances, why: '' } }
const failed: Trials = { [other.sha256]: { outcome: 'failed', circumstances, why: 'It fell over.' } }

it.each([
  ['nothing asked for', choose({ model: undefined }), baked],
  ['the baked one', choose({ model: baked.name }), baked],
  ['one that is there', choose({}, [other.name]), other],
])('%s: served, and nothing to say', (_, choice, model) => {
  expect(choice).toEqual({ state: 'serving', model })
})

it.each([
  ['that is not there', choose(), /^gpt-oss-20b is not in this image: serving devstral-small-2 until/],
  ['whose download or trial was cut off', choose({}, [other.name], underWay), /until it is fetched and ans/],
  ['that failed with a smaller context', choose({ contextSize: 512 }, [other.name], failed), /until it is/],
])('one %s: the baked one meanwhile', (_, choice, note) => {
  expect(choice).toMatchObject({
    state: 'serving',
    model: baked,
    pending: { model: other, url: other.url },
    note: expect.stringMatching(note),
  })
})

it('one that failed: the baked one, why, how to try again, and nothing pending', () => {
  expect(choose({}, [other.name], failed)).toEqual({
    state: 'serving',
    model: baked,
    note: 'gpt-oss-20b is not served: It fell over. Serving devstral-small-2. To try again: slm-copilot fetch-model --retry',
  })
})

it('a failure counts after a boot with a few megabytes less', () => {
  const later = { memory: memory - 5_000_000, isThere, misfit: fits }
  expect(pendingIn(chooseModel(productionRelease, asked, later, failed))).toBeUndefined()
})

it.each([true, false])(
  'one that does not fit: the baked one, and why, whether it is there (%s) or not',
  there => {
    const tooLarge = ({ name }: { name: string }) => (name === other.name ? 'It is too large.' : undefined)
    const small = { memory, isThere: () => there, misfit: tooLarge }
    const note = 'It is too large. Serving devstral-small-2.'
    expect(chooseModel(productionRelease, asked, small, {})).toEqual({ state: 'serving', model: baked, note })
  },
)

const without = (trials: Trials, misfits: string[] = [baked.name], there: string[] = []) =>
  chooseModel(
    productionRelease,
    asked,
    {
      memory,
      isThere: ({ name }) => there.includes(name),
      misfit: ({ name }) => (misfits.includes(name) ? 'It is too large.' : undefined),
    },
    trials,
  )

it('where the baked one does not fit, another is fetched while nothing is served', () => {
  const reason =
    'gpt-oss-20b is not in this image, and no model that is here fits: nothing is served until it is fetched and answers.'
  expect(without({})).toEqual({ state: 'waiting', model: other, pending, reason })
  expect(without(underWay, [baked.name], [other.name])).toEqual(without({}))
  expect(without({}, [baked.name], [other.name])).toEqual({ state: 'serving', model: other })
})

it('where the baked one does not fit and the other failed, nothing is served, and why', () => {
  expect(without(failed, [baked.name], [other.name])).toEqual({
    state: 'unavailable',
    model: other,
    reason: 'gpt-oss-20b is not served: It fell over. No other model that is here fits.',
    fix: 'To try again: slm-copilot fetch-model --retry',
  })
})

const previous = catalogue['qwen2.5-coder-3b']

it('where the baked one does not fit, one that was fetched before serves meanwhile, unless its trial is open', () => {
  const note = 'gpt-oss-20b is not in this image: serving qwen2.5-coder-3b until it is fetched and answers.'
  expect(without({}, [baked.name], [previous.name])).toEqual({
    state: 'serving',
    model: previous,
    pending,
    note,
  })
  expect(without({}, [], [previous.name]).model).toEqual(baked)
  expect(without(failed, [baked.name], [previous.name])).toMatchObject({
    state: 'serving',
    model: previous,
    note: expect.stringMatching(/It fell over\. Serving qwen2\.5-coder-3b\./),
  })
  const tooLarge = 'It is too large. Serving qwen2.5-coder-3b.'
  expect(without({}, [baked.name, other.name], [previous.name])).toEqual({
    state: 'serving',
    model: previous,
    note: tooLarge,
  })
  const open: Trials = { [previous.sha256]: { outcome: 'under way', circumstances: '', why: '' } }
  expect(without(open, [baked.name], [previous.name])).toMatchObject({
    state: 'waiting',
    model: other,
  })
})

it('where neither fits, the plan is to tell of the one that was asked for', () => {
  expect(without({}, [baked.name, other.name])).toEqual({ state: 'serving', model: other })
})

it.each([
  [undefined, other.url],
  ['https://mirror.example.com/models', 'https://mirror.example.com/models/gpt-oss-20b-MXFP4.gguf'],
  ['http://10.0.0.1:8080//', 'http://10.0.0.1:8080/gpt-oss-20b-MXFP4.gguf'],
])('with the mirror %s it comes from %s', (mirror, url) => {
  expect(modelUrl(other, mirror)).toBe(url)
})
