import { expect, it } from 'vitest'
import { hasContent } from '../../../lib/edge/first-byte.ts'

it.each([
  ['', false],
  [':\n\n', false],
  [': still processing\n\n', false],
  [':\n\ndata: {}\n\n', true],
  ['data: {}\n\n', true],
  ['{"choices":[]}', true],
])('an answer begins with the piece %j: %s', (piece, begins) => {
  expect(hasContent(Buffer.from(piece))).toBe(begins)
})
