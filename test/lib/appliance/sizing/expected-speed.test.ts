import { expect, it } from 'vitest'
import {
  expectedGeneration,
  expectedPrompt,
  expectedText,
  rangeText,
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
