import { expect, it } from 'vitest'
import { current, generatedFiles } from '../packer/build/generated.ts'

it.each(Object.keys(generatedFiles))('%s is up to date with `make generate`', name => {
  expect(current(name)).toBe(generatedFiles[name]?.())
})
