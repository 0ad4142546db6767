import { expect, it } from 'vitest'
import { admissionConfiguration } from '../../../../lib/render/nginx/admission.ts'

it.each([
  ['one-key', false],
  ['separate', false],
  ['shared', true],
] as const)('filters answers only if keys share a cache: %s', (cacheSharing, reads) => {
  const { text } = admissionConfiguration({ slots: 2, answerTimeout: 3600, cacheSharing, companions: [] })
  for (const part of ['load_module', 'js_import', 'js_header_filter', 'js_body_filter'])
    expect(text.includes(part)).toBe(reads)
})
