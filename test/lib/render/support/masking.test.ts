/** Known secrets in every encoding, and unknown ones by their form; and what must stay readable. */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fleetMaps } from '../../../../lib/render/nginx/fleet.ts'
import { keyMaps } from '../../../../lib/render/nginx/keys.ts'
import { saltOf, tenantMap } from '../../../../lib/render/nginx/tenants.ts'
import { maskedByForm, maskFor } from '../../../../lib/render/support/masking.ts'

const secret = 'P/ss +w0~*!&>>>???"é'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const hexadecimal = (text: string) => Buffer.from(text).toString('hex')

describe('a known secret, where nothing looks like one', () => {
  it.each<[string, (text: string) => string]>([
    ['as it is', text => text],
    ['in a JSON string', text => JSON.stringify(text).slice(1, -1)],
    ['in a URL', encodeURIComponent],
    ['in a URL by RFC 3986', text => encodeURIComponent(text).replace('!', '%21').replace('*', '%2A')],
    [
      'in a URL, escaped in lower case',
      text => encodeURIComponent(text).replace(/%../g, x => x.toLowerCase()),
    ],
    ['in a query, a blank as plus sign', text => encodeURIComponent(text).replace('%20', '+')],
    ['in a form', text => new URLSearchParams({ x: text }).toString().slice(2)],
    ['in Base64', base64],
    ['in Base64, URL-safe', text => Buffer.from(text).toString('base64url')],
    ['in Base64, in a URL', text => encodeURIComponent(base64(text))],
    ['in hexadecimal', hexadecimal],
    ['in hexadecimal, capitals', text => hexadecimal(text).toUpperCase()],
  ])('%s', (_, encode) => {
    const text = `log.${encode(secret)}.txt`
    expect(maskedByForm(text)).toBe(text)
    expect(maskFor([secret])(text)).toBe('log.[masked].txt')
  })

  it.each([
    [1, 2, 29],
    [2, 3, 30],
    [3, 4, 32],
    [4, 6, 33],
  ])('in Base64 after %d other characters: what depends on it alone', (before, from, to) => {
    const text = base64(`${'u'.repeat(before)}${secret}:more`)
    expect(maskFor([secret])(`log.${text}`)).toBe(`log.${text.slice(0, from)}[masked]${text.slice(to)}`)
  })
})

describe('a known secret', () => {
  it.each<[string, (secret: string) => string]>([
    ["in nginx's map", text => keyMaps({ keys: [{ name: 'alice', key: text }], metricsKey: undefined })],
    [
      "as the fleet's key",
      text =>
        fleetMaps({
          role: 'copilot',
          fleetKey: text,
          cacheSharing: 'separate',
          settings: { companions: {} },
        }),
    ],
    [
      'as the salt of its cache',
      text => tenantMap({ keys: [{ name: 'alice', key: text }], cacheSharing: 'separate' }),
    ],
  ])('%s', (_, encode) => {
    const text = encode(secret)
    const shown = maskFor([secret])(text)
    expect(shown).toContain('[masked]')
    for (const part of ['w0~', base64(secret).slice(3, 11), saltOf(secret)]) expect(shown).not.toContain(part)
  })

  it('of any bytes that a key may have', () => {
    for (let run = 0; run < 200; run += 1) {
      const key = randomBytes(9).toString('base64url')
      const text = [key, Buffer.from(`copilot:${key}`).toString('base64'), encodeURIComponent(key)].join('\n')
      const shown = maskFor([key])(text)
      expect(shown).not.toContain(key)
      expect(Buffer.from(shown.split('\n')[1] ?? '', 'base64').toString('latin1')).not.toContain(
        key.slice(3, -3),
      )
    }
  })

  it('that is short is a word: it stays', () => {
    for (const text of ['nginx runs', `log.${hexadecimal('nginx')}`, `log.${base64('nginx')}`])
      expect(maskFor(['nginx'])(text)).toBe(text)
    expect(maskFor(['password'])('that password')).toBe('that [masked]')
  })

  it('longer ones go first, and thousands are no problem', () => {
    const many = Array.from({ length: 3000 }, (_, index) => `secret-number-${index}-x`)
    expect(maskFor(many)('a secret-number-2999-x b')).toBe('a [masked] b')
    expect(maskFor(['abcdefgh', 'abcdefghijkl'])('abcdefghijkl')).toBe('[masked]')
  })
})

describe('what looks like a secret', () => {
  it.each([
    ['Authorization: Bearer abcdef', 'abcdef'],
    ['authorization: Basic dTpwYXNz', 'dTpwYXNz'],
    ['got x-api-key: k3y-of-alice', 'k3y-of-alice'],
    ['X-ONEGATE-TOKEN: short', 'short'],
    ['Cookie: a=b; c=d', 'c=d'],
    ['sent with bearer abc123def', 'abc123def'],
    ['password=hunter22', 'hunter22'],
    ['ONEAPP_COPILOT_PASSWORD="hunter22"', 'hunter22'],
    ['{"api_key": "hunter22"}', 'hunter22'],
    ['dns_token = hunter22', 'hunter22'],
    ['key=hunter22', 'hunter22'],
    ['https://user:hunter22@example.com/x', 'hunter22'],
    ['GET /v1/models?api=hunter22 200', 'hunter22'],
    ['a word like sk-proj4Rt5Zz8Qw1Lm7Pp0Xx', 'Rt5Zz8'],
    ['or u9Xk2LmQ7vRt5Zz8Qw1Lm7Pp0 in a line', 'u9Xk2'],
    ['-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----', 'MHcCAQEE'],
    ['-----BEGIN PRIVATE KEY-----\nMHcCAQEE cut off', 'MHcCAQEE'],
    ['map $http_authorization $x {\n    default "";\n    "~^(?i:bearer) +\\x41b\\z" alice;\n}', 'x41b'],
    ['map $copilot_own_tenant $copilot_own_salt {\n    "~^alice\\z" AbCdEfGhIjKl;\n}', 'AbCdEf'],
    ['map $copilot_tenant $copilot_tenant_salt {\n    default "";\n    alice AbCdEfGhIjKl;\n}', 'AbCdEf'],
  ])('%s', (text, secret) => {
    expect(maskedByForm(text)).not.toContain(secret)
    expect(maskedByForm(text)).toContain('[masked')
  })
})

it.each([
  '2026-02-14T10:00:00Z [INFO] /etc/slm-copilot/plan.json: created',
  `sha256 ${'0a1b'.repeat(16)}`,
  'InvocationID=0123456789abcdef0123456789abcdef',
  'boot 8a2b1c3d-0123-4567-89ab-cdef01234567',
  'model devstral-small-2 and qwen3-coder-30b-a3b',
  '/opt/slm-copilot/llama.cpp/b9999/libggml-cpu-haswell.so',
  'slot print_timing: id 2 | task 35 | eval time = 767.84 ms / 32 tokens',
  '    ssl_certificate_key /etc/ssl/slm-copilot/current/privkey.pem;',
  '"kvType": "q8_0", "contextSize": 32768,',
  'inet6 2001:db8::7/64 fe80::1ff:fe23:4567:890a',
  'Linux debian 6.12.48+deb13-amd64 #1 SMP',
  'from 20260214100000-20260214110000 to',
])('leaves %s', text => {
  expect(maskedByForm(text)).toBe(text)
})
