/** The TLS decision of configure, bootstrap and the daily renewal: what to keep, issue, use and order. */
import type { Names } from '../names.ts'
import type { Ca, InstalledPair, Leaf } from './certificates.ts'
import { type Clock, isCaInTime, isLeafInTime } from './clock.ts'
import { type AcmeDecision, type AcmeFacts, decideOrder, isUsable } from './lets-encrypt.ts'
import { namesNotPermitted } from './name-constraints.ts'

/** A pair from the context. `missing`: the domain or address by which clients come, if the certificate does not cover it. */
export type SuppliedPair = InstalledPair & { names: string[]; missing?: string | undefined }

export type TlsFacts = {
  clock: Clock
  /** The names and addresses of the VM. */
  names: Names
  ca?: Ca | undefined
  /** The CA that `ca` replaced: some clients may still trust it. */
  previousCa?: Ca | undefined
  leaf?: Leaf | undefined
  supplied?: SuppliedPair | undefined
  /** Absent if no certificate is to be ordered from an ACME server. */
  acme?: AcmeFacts | undefined
}

export type TlsDecision = {
  /** The CA to use: the current one, or the previous one again. Undefined: issue a new one. */
  ca: Ca | undefined
  /** The CA to keep as the previous one. */
  previousCa: Ca | undefined
  /** The leaf to use. Undefined: issue a new one. */
  leaf: Leaf | undefined
  /** The pair for nginx. Undefined: the VM's own pair. */
  inUse: InstalledPair | undefined
  acme: AcmeDecision
}

/** Decides from the facts alone; reads and writes nothing. */
export function decideTls(facts: TlsFacts): TlsDecision {
  const ca = chooseCa(facts)
  const { supplied, acme, clock } = facts
  const obtained = isUsable(acme?.obtained, clock) ? acme?.obtained : undefined
  return {
    ca,
    previousCa: choosePreviousCa(facts, ca),
    leaf: chooseLeaf(facts, ca),
    inUse: supplied ?? obtained,
    acme: decideOrder(acme, clock),
  }
}

/** The current CA, otherwise the previous one, if it may sign for the VM's names and has not expired. */
function chooseCa({ ca, previousCa, names, clock }: TlsFacts): Ca | undefined {
  // An administrator who removes the CA wants a new one, not the previous one.
  if (ca === undefined) return undefined
  const mayServe = ({ certificate, hasKey }: Ca) =>
    certificate !== undefined &&
    hasKey &&
    isCaInTime(clock, certificate.dates) &&
    namesNotPermitted(certificate.constraints, names).length === 0
  if (mayServe(ca)) return ca
  return previousCa !== undefined && mayServe(previousCa) ? unmarked(previousCa) : undefined
}

/** The CA to keep as the previous one: the current one, if another replaces it. */
function choosePreviousCa({ ca, previousCa, clock }: TlsFacts, chosen: Ca | undefined): Ca | undefined {
  const current = ca?.certificate?.fingerprint
  if (ca === undefined || current === undefined || chosen?.certificate?.fingerprint === current)
    return previousCa
  // Killed between writing the new key and its certificate: the replaced CA has been kept already.
  if (!ca.hasKey && previousCa?.certificate?.fingerprint === current) return previousCa
  return markedAsReplaced(ca, clock.now)
}

/** The current leaf, if the chosen CA signed it for exactly the VM's names and it is valid long enough. */
function chooseLeaf({ leaf, clock }: TlsFacts, ca: Ca | undefined): Leaf | undefined {
  if (leaf === undefined || ca?.certificate === undefined) return undefined
  const isOurs = leaf.issuer === ca.certificate.fingerprint && leaf.isForNames
  return isOurs && isLeafInTime(clock, leaf.dates, ca.certificate.dates) ? leaf : undefined
}

const mark = /^Replaced (\S+)\n/

/** A CA in the form in which it is kept after being replaced. */
const markedAsReplaced = (ca: Ca, now: Date): Ca => ({
  ...ca,
  pair: {
    certificate: `Replaced ${now.toISOString()}\n${ca.pair.certificate}`,
    key: ca.hasKey ? ca.pair.key : '',
  },
})

const unmarked = (ca: Ca): Ca => ({
  ...ca,
  pair: { ...ca.pair, certificate: ca.pair.certificate.replace(mark, '') },
})

/** When a previous CA was replaced; undefined if it is not recorded. */
export function replacedAt({ pair }: Ca): Date | undefined {
  const [, at] = pair.certificate.match(mark) ?? []
  return at === undefined ? undefined : new Date(at)
}
