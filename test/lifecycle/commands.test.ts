import { expect, it } from 'vitest'
import { commands, overview, usageOf } from '../../lifecycle/commands.ts'

const texts = [overview(), ...Object.entries(commands).map(([name, command]) => usageOf(name, command))]

it.each(texts)('prints help within 80 columns: %s', text => {
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})
