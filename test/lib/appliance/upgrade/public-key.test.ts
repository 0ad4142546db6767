/** minisign's public keys, in text that people pass on. */
import { expect, it } from 'vitest'
import { isPublicKey, publicKeyIn } from '../../../../lib/appliance/upgrade/public-key.ts'

const key = `RW${'Aa0+/z'.repeat(9)}`

it.each<[string, string, string | undefined]>([
  ['a file of minisign', `untrusted comment: minisign public key 1234\n${key}\n`, key],
  ['the key alone', key, key],
  ['nothing', '', undefined],
  ['a key within a line', `key: ${key}`, undefined],
  ['a key that goes on', `${key}A`, undefined],
  ['a key that is cut off', key.slice(0, -1), undefined],
  ['a signature', `RU${key.slice(2)}`, undefined],
])('the public key in %s', (_, text, found) => {
  expect(publicKeyIn(text)).toBe(found)
})

it.each([
  [key, true],
  [`x${key}`, false],
  [`${key}x`, false],
  [`comment\n${key}`, false],
  [key.toLowerCase(), false],
])('%j is a public key: %s', (text, is) => {
  expect(isPublicKey.test(text)).toBe(is)
})
