import { expect, it } from 'vitest'
import { unitCommands } from '../../../lifecycle/cli/commands/units.ts'
import { commands } from '../../../lifecycle/cli/commands.ts'
import { overview, usageOf } from '../../../lifecycle/cli/usage.ts'

const texts = [overview(), ...Object.entries(commands).map(([name, command]) => usageOf(name, command))]

it.each(texts)('prints help within 80 columns: %s', text => {
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})

it('lists each command once', () => {
  const listed = [...overview().matchAll(/^ {2}([a-z-]+) +\S/gm)].map(([, name]) => name)
  expect(listed.toSorted()).toEqual(Object.keys(commands).toSorted())
})

it.each(Object.entries(commands))('says of %s whether a unit runs it', (name, command) => {
  const isSaid = usageOf(name, command).includes('A systemd unit runs this command.')
  expect(isSaid).toBe(Object.hasOwn(unitCommands, name))
})
