import { expect, it } from 'vitest'
import { generatedFiles } from '../packer/build/generated.ts'

it.each(generatedFiles())('$name is up to date with `make generate`', ({ found, expected }) => {
  expect(found).toBe(expected)
})
