import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import {
  comparedText,
  expectedGeneration,
  expectedPrompt,
  expectedPromptAtEnd,
  expectedText,
  rangeText,
  shareAtDepth,
} from '../../../../lib/appliance/sizing/expected-speed.ts'
import { tinyModel } from '../../../support/capacity.ts'

/** Reads 10 GB for each token, and computes with 20 billion parameters. */
const geometry = { ...tinyModel.geometry, active: 10e9, activeParameters: 20e9 }

it('expects generation at 55 to 65 % of the memory bandwidth', () => {
  const { least, most } = expectedGeneration(geometry, 100e9)
  expect([least, most]).toEqual([expect.closeTo(5.5), expect.closeTo(6.5)])
})

it('expects prompts at two operations per parameter, shared by the cores', () => {
  const { least, most } = expectedPrompt(geometry, 8)
  expect([least, most]).toEqual([expect.closeTo(8), expect.closeTo(40)])
})

it.each([
  [{ least: 13.6, most: 31.2 }, '14 to 31'],
  [{ least: 9.94, most: 10 }, '9.9 to 10'],
  [{ least: 0.34, most: 9.96 }, '0.3 to 10.0'],
])('shows %j', (range, text) => {
  expect(rangeText(range)).toBe(text)
})

it('describes a machine whose bandwidth is unknown, from the slowest to the fastest', () => {
  expect(expectedText(geometry, 8)).toBe('prompt 8.0 to 40, generation 2.8 (at 50 GB/s) to 13 (at 200 GB/s)')
})

/** As wide as Devstral Small 2, whose depth the figures of the bench stand for. */
const { geometry: devstral } = catalogue['devstral-small-2']

it.each([
  ['f16', 20_480, 0.38],
  ['q8_0/f16', 20_480, 0.2],
  ['q8_0', 20_480, 0.13],
  ['f16', 0, 1],
  ['q8_0', 0, 0.82],
] as const)(
  'with a KV cache in %s, after %d tokens, expects prompts at %d of the speed',
  (kvType, depth, share) => {
    expect(shareAtDepth(devstral, kvType, depth)).toBeCloseTo(share, 2)
  },
)

it('expects a prompt in a sliding window to cost no more than the window', () => {
  const windowed = { ...devstral, slidingWindow: { layers: devstral.layers, tokens: 128 } }
  expect(shareAtDepth(windowed, 'f16', 100_000)).toBe(shareAtDepth(devstral, 'f16', 128))
})

it('expects the end of a context at that share', () => {
  const atStart = expectedPrompt(devstral, 8)
  const atEnd = expectedPromptAtEnd(devstral, 8, { kvType: 'f16', contextSize: 20_480 })
  expect(atEnd.most / atStart.most).toBeCloseTo(0.38, 2)
  expect(atEnd.least / atStart.least).toBeCloseTo(0.38, 2)
})

it.each([
  ['in the middle', { prompt: 20, generation: 5 }, 'prompts as expected, generation matches 77 to 91 GB/s'],
  ['at the least', { prompt: 8, generation: 1 }, 'prompts as expected, generation matches 15 to 18 GB/s'],
  [
    'below it',
    { prompt: 7.9, generation: 0.1 },
    'prompts slower than expected, generation matches 1.5 to 1.8 GB/s',
  ],
  ['at the most', { prompt: 40, generation: 12 }, 'prompts as expected, generation matches 185 to 218 GB/s'],
  [
    'above it',
    { prompt: 41, generation: 12 },
    'prompts faster than expected, generation matches 185 to 218 GB/s',
  ],
])('compares a measured speed %s', (_, speed, text) => {
  expect(comparedText(geometry, 8, speed)).toBe(`${text} of memory bandwidth`)
})
