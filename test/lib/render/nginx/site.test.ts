import { expect, it } from 'vitest'
import { edgeConfiguration } from '../../../../lib/render/nginx/edge.ts'
import { retryAfterMap } from '../../../../lib/render/nginx/retry-after.ts'
import { exactly } from '../../../../lib/render/nginx/syntax.ts'
import { siteWith } from '../../../support/site.ts'

it('matches exactly the given text, whatever characters it contains', () => {
  const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('')
  expect(exactly(printable)).toMatch(/^([A-Za-z0-9/_-]|\\x[0-9a-f]{2})+$/)
  expect(new RegExp(`^${exactly(printable)}$`).test(printable)).toBe(true)
  expect(new RegExp(`^${exactly('a.b')}$`).test('aXb')).toBe(false)
})

it('does not contain the key in plain text, and is readable by root only', () => {
  const { text, mode } = edgeConfiguration(siteWith({ password: { password: 'a-key-with{}$#;' } }))
  expect(mode).toBe(0o600)
  expect(text).not.toContain('a-key-with{}$#;')
})

it('spreads the retries of rejected clients over time', () => {
  const lines = retryAfterMap({ least: 5, most: 8 }).split('\n').slice(1, -1)
  expect(lines).toEqual(['    25% 5;', '    25% 6;', '    25% 7;', '    * 8;'])
  expect(retryAfterMap({ least: 5, most: 5 })).toContain('{\n    * 5;\n}')
})
