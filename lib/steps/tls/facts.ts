/** Collects the facts for the TLS decision: what is requested, the pairs on disk, the state of the ACME order. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context } from '../../appliance/context/context.ts'
import type { Names } from '../../appliance/names.ts'
import type { Pair } from '../../appliance/tls/certificates.ts'
import type { Clock } from '../../appliance/tls/clock.ts'
import type { SuppliedPair, TlsFacts } from '../../appliance/tls/decision.ts'
import { type Order, orderOf } from '../../appliance/tls/lets-encrypt.ts'
import type { Host } from '../../system/host.ts'
import { namesIn } from '../../system/x509.ts'
import { describeCa, describeLeaf, readCaPair, readLeafPair, readPreviousCaPair } from './certificates.ts'
import { missingCertificate, readPairInUse } from './installed-pairs.ts'
import { readAcme } from './lets-encrypt.ts'
import { suppliedPair } from './supplied-pair.ts'

/** The names that certificates must cover, and their possible sources besides the VM's own CA. */
export type WantedTls = { names: Names; supplied?: SuppliedPair | undefined; order?: Order | undefined }

/** As requested in the context. */
export const wantedByContext = (context: Context, names: Names): WantedTls => ({
  names,
  supplied: suppliedPair(context),
  order: orderOf(context),
})

/** As left by the last configure. Throws if there has been none. */
export function wantedOnDisk(host: Host, order: Order | undefined): WantedTls {
  const leaf = readLeafPair(host)
  if (leaf === undefined) throw missingCertificate()
  const inUse = readPairInUse(host)
  const names = namesIn(new X509Certificate(leaf.certificate))
  return {
    names: { dns: names.filter(name => isIP(name) === 0), ip: names.filter(name => isIP(name) !== 0) },
    supplied: inUse.mode === 'supplied' ? { ...inUse, names: [] } : undefined,
    order,
  }
}

/** The VM's own certificates with their keys, as on disk. */
export type OwnPairs = { ca?: Pair | undefined; previousCa?: Pair | undefined; leaf?: Pair | undefined }

export async function readTlsFacts(host: Host, clock: Clock, wanted: WantedTls): Promise<TlsFacts> {
  const pairs = { ca: readCaPair(host), previousCa: readPreviousCaPair(host), leaf: readLeafPair(host) }
  const { names, supplied, order } = wanted
  const own = await describePairs(pairs, names)
  return { clock, names, ...own, supplied, acme: order && readAcme(host, order) }
}

/** Describes the pairs for the decision. */
export async function describePairs({ ca, previousCa, leaf }: OwnPairs, names: Names) {
  // Loaded only here, so that other commands start faster.
  const { default: forge } = await import('node-forge')
  return {
    ca: ca && describeCa(forge, ca),
    previousCa: previousCa && describeCa(forge, previousCa),
    leaf: leaf && describeLeaf(leaf, names, [ca, previousCa]),
  }
}
