import { expect, it } from 'vitest'
import { admissionConfiguration } from '../../../../lib/render/nginx/admission.ts'

it.each([
  ['one-key', false],
  ['separate', false],
  ['shared', true],
] as const)('filters answers only if keys share a cache: %s', (cacheSharing, reads) => {
  const { text } = admissionConfiguration({ slots: 2, answerTimeout: 3600, cacheSharing })
  for (const part of ['js_header_filter', 'js_body_filter']) expect(text.includes(part)).toBe(reads)
})

it('filters the answers of completion, too, and not those of services without a cache', () => {
  const { text } = admissionConfiguration({ slots: 2, answerTimeout: 3600, cacheSharing: 'shared' })
  const locations = text.split(/^ {8}location /m).filter(part => part.includes('js_body_filter'))
  expect(locations.map(part => part.split(' ')[0])).toEqual(['/', '/completion/'])
})
