import { expect, it } from 'vitest'
import { commands } from '../../../lifecycle/cli/commands.ts'
import { overview, usageOf } from '../../../lifecycle/cli/usage.ts'

const texts = [overview(), ...Object.entries(commands).map(([name, command]) => usageOf(name, command))]

it.each(texts)('prints help within 80 columns: %s', text => {
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})
