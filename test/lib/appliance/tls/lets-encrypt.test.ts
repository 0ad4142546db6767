/** What to order from an ACME server, and when to try again after a failure. */
import { expect, it } from 'vitest'
import type { Context } from '../../../../lib/appliance/context/context.ts'
import { isDue, issuerOf, orderName, orderOf } from '../../../../lib/appliance/tls/lets-encrypt.ts'

const domain = 'copilot.example.com'
const order = (context: Partial<Context>) => orderOf(context as Context)

it.each([
  ['nothing without a domain', { acmeEmail: 'a@example.com' }, undefined],
  ['nothing if a pair is supplied', { domain, tlsCertificate: 'PEM' }, undefined],
  [
    "from Let's Encrypt by default",
    { domain },
    { domain, server: 'https://acme-v02.api.letsencrypt.org/directory', hasCa: false },
  ],
  [
    'from a private server, with its CA and a contact address',
    { domain, acmeUrl: 'https://ca.example/dir', acmeCa: 'PEM', acmeEmail: 'a@example.com' },
    { domain, server: 'https://ca.example/dir', email: 'a@example.com', hasCa: true },
  ],
])('orders %s', (_, context, ordered) => expect(order(context)).toStrictEqual(ordered))

it("names the issuer, and distinguishes two servers' pairs for one domain", () => {
  const [usual, own] = [order({ domain }), order({ domain, acmeUrl: 'https://ca.example:8443/dir?x' })]
  if (usual === undefined || own === undefined) throw new Error('no order')
  expect([usual, own].map(issuerOf)).toEqual([
    "Let's Encrypt",
    'the ACME server https://ca.example:8443/dir?x',
  ])
  expect(orderName(own)).toBe('copilot.example.com-at-ca.example-8443-dir-x')
  expect(orderName(usual)).not.toBe(orderName(own))
  expect(orderName({ ...own, server: 'https://a//b--c?https://d' })).toBe(
    'copilot.example.com-at-a-b-c-https-d',
  )
  // A file name may have 255 bytes, and certbot adds some.
  expect(orderName({ ...own, server: `https://${'a'.repeat(300)}` }).length).toBe(200)
})

const at = '2026-02-14T12:00:00.000Z'
const minutesLater = (minutes: number) => new Date(Date.parse(at) + minutes * 60_000)

it.each([
  ['the first time', undefined, 'boot', 0, true],
  ['in the same boot', 1, 'same', 100_000, false],
  ['14 minutes after the first failure', 1, 'other', 14, false],
  ['15 minutes after the first failure', 1, 'other', 15, true],
  ['29 minutes after the second', 2, 'other', 29, false],
  ['30 minutes after the second', 2, 'other', 30, true],
  ['almost a day after the twentieth', 20, 'other', 1439, false],
  ['a day after the twentieth', 20, 'other', 1440, true],
  ['before the last attempt, which was dated by a wrong clock', 3, 'other', -1, true],
])('due %s: %#', (_, failures, boot, minutes, isExpected) => {
  const last = failures === undefined ? undefined : { boot: 'same', at, failures, reason: 'x' }
  expect(isDue(last, boot, minutesLater(minutes))).toBe(isExpected)
})
