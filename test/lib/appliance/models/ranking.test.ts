import { expect, it } from 'vitest'
import type { Model } from '../../../../lib/appliance/models/catalogue.ts'
import { betterChoice, qualityText, ranked } from '../../../../lib/appliance/models/ranking.ts'
import { tinyModel } from '../../../support/capacity.ts'

/** `active`: GB that it reads for each token. */
const model = (name: string, active: number, quality?: Model['quality']): Model => ({
  ...tinyModel,
  name,
  geometry: { ...tinyModel.geometry, active: active * 1e9 },
  ...(quality && { quality }),
})
const present = model('present', 14, { independent: 59 })
const better = model('better', 2.6, { independent: 64, maker: 73 })
const slower = model('slower', 28, { independent: 70 })
const worse = model('worse', 2, { independent: 32 })
const equal = model('equal', 7, { independent: 59 })
const similar = model('similar', 15, { independent: 61 })
const unknown = model('unknown', 28)
const tiny = model('tiny', 1)

it('ranks what fits first, then the better, then the faster', () => {
  const order = (fits: (of: Model) => boolean) =>
    ranked([unknown, tiny, worse, present, better, slower, equal], fits).map(({ name }) => name)
  expect(order(() => true)).toEqual(['slower', 'better', 'equal', 'present', 'worse', 'unknown', 'tiny'])
  expect(order(({ name }) => name !== 'slower').at(-1)).toBe('slower')
})

it.each([
  [
    [better],
    'better fits into this VM, too: it solves 64 % of SWE-bench Verified instead of 59 %, and its answers are about 5 times as fast. To serve it: ONEAPP_COPILOT_MODEL=better',
  ],
  [[equal], 'about 2.0 times as fast'],
  [[equal, better], 'better fits'],
  [[similar], 'its answers are about as fast. To serve it'],
  [[slower], undefined],
  [[worse], undefined],
  [[unknown], undefined],
  [[present], undefined],
])('of %j, names the better choice', (models, line) => {
  const found = betterChoice({ model: present, contextSize: 32_768 }, models, () => ({ contextSize: 32_768 }))
  if (line === undefined) expect(found).toBeUndefined()
  else expect(found).toContain(line)
})

it('names none with less context, or that cannot be served, or if the present one has no figure', () => {
  const choose = (of: Model, contextSize?: number) =>
    betterChoice({ model: of, contextSize: 32_768 }, [better], () =>
      contextSize === undefined ? undefined : { contextSize },
    )
  expect(choose(present, 16_384)).toBeUndefined()
  expect(choose(present)).toBeUndefined()
  expect(choose(unknown, 32_768)).toBeUndefined()
})

it.each([
  [better, '64 % of SWE-bench Verified (73 by its makers)'],
  [present, '59 % of SWE-bench Verified'],
  [unknown, 'quality: no independent figure'],
])('describes the quality of %j', (of, text) => {
  expect(qualityText(of)).toBe(text)
})
