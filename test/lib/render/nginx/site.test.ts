import { expect, it } from 'vitest'
import { edgeConfiguration } from '../../../../lib/render/nginx/edge.ts'
import { exactly } from '../../../../lib/render/nginx/keys.ts'
import { retryAfterMap } from '../../../../lib/render/nginx/retry-after.ts'

const site = (key: string) => ({
  keys: [{ name: 'copilot', key }],
  cacheSharing: 'one-key' as const,
  hasIpv6: false,
  hasHttp2Directive: false,
  answerTimeout: 3600,
  bodyLimit: 1_048_576,
})

it('matches exactly the given text, whatever characters it contains', () => {
  const printable = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join('')
  expect(exactly(printable)).toMatch(/^([A-Za-z0-9]|\\x[0-9a-f]{2})+$/)
  expect(new RegExp(`^${exactly(printable)}$`).test(printable)).toBe(true)
  expect(new RegExp(`^${exactly('a.b')}$`).test('aXb')).toBe(false)
})

it('does not contain the key in plain text, and is readable by root only', () => {
  const { text, mode } = edgeConfiguration(site('a-key-with{}$#;'))
  expect(mode).toBe(0o600)
  expect(text).not.toContain('a-key-with{}$#;')
})

it('listens on IPv6 only if the machine has it', () => {
  const text = (hasIpv6: boolean) => edgeConfiguration({ ...site('x'.repeat(12)), hasIpv6 }).text
  expect(text(true)).toContain('listen [::]:443')
  expect(text(false)).not.toContain('[::]')
})

it("enables HTTP/2 in the nginx version's syntax", () => {
  const text = (hasHttp2Directive: boolean) =>
    edgeConfiguration({ ...site('x'.repeat(12)), hasHttp2Directive }).text
  expect(text(true)).toMatch(/listen 443 ssl default_server .*\n\s*http2 on;/)
  expect(text(false)).toContain('listen 443 ssl http2 default_server')
  expect(text(false)).not.toContain('http2 on')
})

it('spreads the retries of rejected clients over time', () => {
  const lines = retryAfterMap({ least: 5, most: 8 }).split('\n').slice(1, -1)
  expect(lines).toEqual(['    25% 5;', '    25% 6;', '    25% 7;', '    * 8;'])
  expect(retryAfterMap({ least: 5, most: 5 })).toContain('{\n    * 5;\n}')
})
