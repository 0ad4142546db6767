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
  ['https://mirror.example.com#CANARY', '"https://mirror.example.com..."'],
  ['https://[2001:db8::1]:8443/CANARY', '"https://[2001:db8::1]:8443..."'],
  ['https://[2001:db8::1]', '"https://[2001:db8::1]"'],
  ['https://CANARY[2001:db8::1]', /^27 characters; /],
  ['https://[2001:db8::1]:CANARY', /^28 characters; /],
  ['https://[2001:db8::1]CANARY', /^27 characters; /],
  ['  HTTPS://Mirror.Example.com', '"HTTPS://Mirror.Example.com"'],
  // One character shorter than the shortest key; as long as it, without and with a dot.
  ['https://a-host-of-1', '"https://a-host-of-1"'],
  ['https://a-host-of-12', /^20 characters; /],
  ['https://a.host-of-12', '"https://a.host-of-12"'],
  [`https://${'a'.repeat(77)}.de`, `"https://${'a'.repeat(77)}.de"`],
  [`https://${'a'.repeat(78)}.de`, /^89 characters; /],
  ['https://mirror.example.com:65535', '"https://mirror.example.com:65535"'],
  ['https://mirror.example.com:655350', /^33 characters; /],
  ['see https://mirror.example.com', /^30 characters including whitespace; /],
  ['https://mirror.example.com CANARY', '"https://mirror.example.com..."'],
  ['of-11-chars', '"of-11-chars"'],
  ['of-12--chars', '12 characters; long values are not shown, because they may be keys'],
  ['CANARY-CANARY', '13 characters; long values are not shown, because they may be keys'],
  [
    'CANARY CANARY',
    '13 characters including whitespace; long values are not shown, because they may be keys',
  ],
  ['CANARY\n-----BEGIN PRIVATE KEY', 'a private key of 29 characters'],
  ['-----BEGIN EC PRIVATE KEY-----\nCANARY', /^a private key of 37 characters$/],
])('shows %j as %s', (text, shown) => {
  if (typeof shown === 'string') expect(masked(text, false)).toBe(shown)
  else expect(masked(text, false)).toMatch(shown)
  expect(masked(text, false)).not.toContain('CANARY')
})

it('shows the length of a secret', () => {
  expect(['hunter2', 'x', 'hunter2\n'].map(text => masked(text, true))).toEqual([
    '7 characters',
    '1 character',
    '8 characters including whitespace',
  ])
})
