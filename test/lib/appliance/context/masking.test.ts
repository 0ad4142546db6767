import { expect, it } from 'vitest'
import { masked } from '../../../../lib/appliance/context/masking.ts'

it.each([
  ['32k', '"32k"'],
  ['', '""'],
  ['a\u001b[2Jb', String.raw`"a\u001b[2Jb"`],
  ['ftp://mirror.example.com', '"ftp://mirror.example.com"'],
  ['https://mirror.example.com:8443/CANARY', '"https://mirror.example.com:8443..."'],
  ['https://user:CANARY@mirror.example.com/', '"https://mirror.example.com..."'],
  ['https://CANARY@mirror.example.com', '"https://mirror.example.com..."'],
  ['https://user:CA/NARY@mirror.example.com/', /^40 characters/],
  ['https://user:12345/CANARY@mirror.example.com/', /^45 characters/],
  ['https://CANARYCANARYCANARY', /^26 characters/],
  ['https://mirror.example.com?token=CANARY', '"https://mirror.example.com..."'],
  ['CANARY-CANARY', /^13 characters; long/],
  ['CANARY CANARY', /^13 characters, white space among them/],
  ['-----BEGIN EC PRIVATE KEY-----\nCANARY', /^a private key of 37 characters$/],
])('of %j shows %s', (text, shown) => {
  if (typeof shown === 'string') expect(masked(text, false)).toBe(shown)
  else expect(masked(text, false)).toMatch(shown)
  expect(masked(text, false)).not.toContain('CANARY')
})

it('shows the length of a secret', () => {
  expect([masked('hunter2', true), masked('x', true)]).toEqual(['7 characters', '1 character'])
})
