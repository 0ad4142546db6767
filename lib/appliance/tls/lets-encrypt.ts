/** A certificate from an ACME server (RFC 8555): what is ordered, whether it may be used, when it is requested again. */
import * as z from 'zod'
import { backOff } from '../back-off.ts'
import type { Context } from '../context/context.ts'
import type { InstalledPair } from './certificates.ts'
import { type Clock, type Dates, isCredible } from './clock.ts'

/** Let's Encrypt's directory; another one is a private ACME server's. */
const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

/** Seconds that one attempt may take: the boot waits for it. */
export const attemptTimeout = 120

export const orderSchema = z.strictObject({
  domain: z.string(),
  server: z.string(),
  /** Where the server may write to about expiry. */
  email: z.string().optional(),
  /** The server's own certificate is under the CA in `paths.acmeCa`. */
  hasCa: z.boolean(),
})

export type Order = z.infer<typeof orderSchema>

/** What the context asks of an ACME server: nothing without a domain, nor where it supplies a pair. */
export function orderOf(context: Context): Order | undefined {
  const { domain, tlsCertificate, acmeUrl, acmeEmail, acmeCa } = context
  if (domain === undefined || tlsCertificate !== undefined) return undefined
  const email = acmeEmail === undefined ? {} : { email: acmeEmail }
  return { domain, server: acmeUrl ?? letsEncrypt, ...email, hasCa: acmeCa !== undefined }
}

/** The pair's name in certbot's folders. One for each domain and server, so that none is taken for another's. */
export const orderName = ({ domain, server }: Order) =>
  `${domain}-at-${server.replace(/^https:\/\//, '').replace(/[^a-z0-9.]+/gi, '-')}`.slice(0, 200)

/** Who issues, for people. */
export const issuerOf = ({ server }: Order) =>
  server === letsEncrypt ? "Let's Encrypt" : `the ACME server ${server}`

/** The last attempt for a domain, if it gave no certificate. */
const attemptSchema = z.strictObject({
  /** The kernel's name of the boot that it was made in. */
  boot: z.string(),
  at: z.iso.datetime(),
  /** How many have failed in a row. */
  failures: z.int(),
  reason: z.string(),
})

export type Attempt = z.infer<typeof attemptSchema>

/** Domain → the last attempt for it, while it has brought nothing. */
export const attemptsSchema = z.record(z.string(), attemptSchema)

const minute = 60_000
const day = 24 * 60 * minute

/**
 * When the next attempt may be made: a quarter of an hour after the first failure, twice that after each further
 * one, at most a day. Let's Encrypt counts five failures an hour for a name (letsencrypt.org/docs/rate-limits).
 */
const nextAttempt = ({ at, failures }: Attempt) =>
  new Date(Date.parse(at) + backOff(failures, 15 * minute, day))

/** Whether to try now: once in a boot, and not before its time, unless the clock was wrong when that was set. */
export const isDue = (last: Attempt | undefined, boot: string, now: Date) =>
  last === undefined || (last.boot !== boot && (now >= nextAttempt(last) || now < new Date(last.at)))

/** The pair that an order has brought, whether or not it can be used. */
export type ObtainedPair = InstalledPair & { dates: Dates; isForDomain: boolean }

/** Whether nginx can use it. By a clock that cannot be right every certificate counts as valid. */
export const isUsable = (obtained: ObtainedPair | undefined, clock: Clock): boolean =>
  obtained?.isForDomain === true &&
  (!isCredible(clock) || (obtained.dates.from <= clock.now && clock.now < obtained.dates.to))

export type AcmeFacts = {
  order: Order
  obtained: ObtainedPair | undefined
  /** The kernel's name of this boot. */
  boot: string
  /** The last attempt for the domain, if it failed; or why that cannot be read. */
  last: Attempt | { unreadable: string } | undefined
}

/** What to do for an order: nothing, request a certificate, or say why not now. */
export type AcmeDecision =
  | { state: 'satisfied' }
  /** `attempt`: 1, and one more after each failure. */
  | { state: 'due'; order: Order; boot: string; attempt: number }
  | { state: 'deferred'; note: string }

export function decideOrder(acme: AcmeFacts | undefined, clock: Clock): AcmeDecision {
  if (acme === undefined || isUsable(acme.obtained, clock)) return { state: 'satisfied' }
  const { order, boot, last } = acme
  const deferred = (why: string): AcmeDecision => ({
    state: 'deferred',
    note: `No certificate from ${issuerOf(order)} for ${order.domain}: ${why}`,
  })
  if (!isCredible(clock))
    return deferred(
      `none is requested while the clock is wrong: it says ${clock.now.toISOString().slice(0, 19)}Z.`,
    )
  if (last !== undefined && 'unreadable' in last) return deferred(last.unreadable)
  if (last === undefined || isDue(last, boot, clock.now))
    return { state: 'due', order, boot, attempt: (last?.failures ?? 0) + 1 }
  return deferred(
    `${last.reason} The VM's own certificate is in use. ` +
      `Next attempt: at the first boot after ${nextAttempt(last).toISOString().slice(0, 19)}Z.`,
  )
}
