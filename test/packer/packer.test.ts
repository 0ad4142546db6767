import { expect, it } from 'vitest'
import { hasPlugins } from '../../packer/build/packer.ts'

it.each([
  ['Packer v1.6.6', false],
  ['Packer v1.7.0', true],
  ['Packer v1.14.2\n\nYour version of Packer is out of date!', true],
  ['Packer v2.0.0-dev (abc)', true],
])('knows whether %j needs the block for plugins', (version, expected) => {
  expect(hasPlugins(version)).toBe(expected)
})
