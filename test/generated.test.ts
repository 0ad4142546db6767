import { expect, it } from 'vitest'
import { generatedFiles } from '../packer/build/generated.ts'

it.each(generatedFiles())('$name is as `make generate` writes it', ({ found, expected }) => {
  expect(found).toBe(expected)
})
