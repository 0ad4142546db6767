/** Certificates from an ACME server (RFC 8555): what to order, whether to use it, when to order again. */
import * as z from 'zod'
import { backOff } from '../back-off.ts'
import type { Context } from '../context/context.ts'
import type { InstalledPair } from './certificates.ts'
import { type Clock, type Dates, isCredible } from './clock.ts'

/** Let's Encrypt's directory; any other belongs to a private ACME server. */
const letsEncrypt = 'https://acme-v02.api.letsencrypt.org/directory'

/** Seconds that an attempt may take: the boot waits for it. */
export const attemptTimeout = 120

export const orderSchema = z.strictObject({
  domain: z.string(),
  server: z.string(),
  /** The ACME account's contact address. */
  email: z.string().optional(),
  /** The server's own certificate is verified against the CA in `paths.acmeCa`. */
  hasCa: z.boolean(),
})

export type Order = z.infer<typeof orderSchema>

/** The order that follows from the context: none without a domain, or if the context supplies a pair. */
export function orderOf(context: Context): Order | undefined {
  const { domain, tlsCertificate, acmeUrl, acmeEmail, acmeCa } = context
  if (domain === undefined || tlsCertificate !== undefined) return undefined
  const email = acmeEmail === undefined ? {} : { email: acmeEmail }
  return { domain, server: acmeUrl ?? letsEncrypt, ...email, hasCa: acmeCa !== undefined }
}

/** The pair's name in certbot's folders: distinct for each domain and server, to keep them apart. */
export const orderName = ({ domain, server }: Order) =>
  `${domain}-at-${server.replace(/^https:\/\//, '').replace(/[^a-z0-9.]+/gi, '-')}`.slice(0, 200)

/** The issuer's name, for people. */
export const issuerOf = ({ server }: Order) =>
  server === letsEncrypt ? "Let's Encrypt" : `the ACME server ${server}`

/** The last attempt for a domain, if it failed. */
const attemptSchema = z.strictObject({
  /** The kernel's ID of the boot in which it was made. */
  boot: z.string(),
  at: z.iso.datetime(),
  /** Consecutive failures. */
  failures: z.int(),
  reason: z.string(),
})

export type Attempt = z.infer<typeof attemptSchema>

/** Domain → the last failed attempt for it. */
export const attemptsSchema = z.record(z.string(), attemptSchema)

const minute = 60_000
const day = 24 * 60 * minute

/**
 * When the next attempt may be made: 15 minutes after the first failure, doubled after each further one, at
 * most a day. Let's Encrypt allows five failures an hour for a name (letsencrypt.org/docs/rate-limits).
 */
const nextAttempt = ({ at, failures }: Attempt) =>
  new Date(Date.parse(at) + backOff(failures, 15 * minute, day))

/** Whether to try now: once per boot and not too early, unless a wrong clock dated the last attempt. */
export const isDue = (last: Attempt | undefined, boot: string, now: Date) =>
  last === undefined || (last.boot !== boot && (now >= nextAttempt(last) || now < new Date(last.at)))

/** The pair obtained for an order, whether or not it can be used. */
export type ObtainedPair = InstalledPair & { dates: Dates; isForDomain: boolean }

/** Whether nginx can use it. Under a clock that cannot be right, every certificate counts as valid. */
export const isUsable = (obtained: ObtainedPair | undefined, clock: Clock): boolean =>
  obtained?.isForDomain === true &&
  (!isCredible(clock) || (obtained.dates.from <= clock.now && clock.now < obtained.dates.to))

export type AcmeFacts = {
  order: Order
  obtained: ObtainedPair | undefined
  /** The kernel's ID of the current boot. */
  boot: string
  /** The last attempt for the domain, if it failed; or why the record cannot be read. */
  last: Attempt | { unreadable: string } | undefined
}

/** What to do about an order: nothing, request a certificate, or say why not now. */
export type AcmeDecision =
  | { state: 'satisfied' }
  /** `attempt`: its number, counted from 1 and increased by each failure. */
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
