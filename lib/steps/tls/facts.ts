/** Reads once what the decision about TLS is made from: what is asked for, the pairs on disk, the ACME server's state. */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Context } from '../../appliance/context/context.ts'
import type { Names } from '../../appliance/names.ts'
import { configureCommand, paths } from '../../appliance/paths.ts'
import type { Pair } from '../../appliance/tls/certificates.ts'
import type { Clock } from '../../appliance/tls/clock.ts'
import type { SuppliedPair, TlsFacts } from '../../appliance/tls/decision.ts'
import { type Order, orderOf } from '../../appliance/tls/lets-encrypt.ts'
import type { Host } from '../../system/host.ts'
import { namesIn } from '../../system/x509.ts'
import { describeCa, describeLeaf, readCaPair, readLeafPair, readPreviousCaPair } from './certificates.ts'
import { readPairInUse } from './installed-pairs.ts'
import { readAcme } from './lets-encrypt.ts'
import { suppliedPair } from './supplied-pair.ts'

/** What certificates are to be for, and where they may come from besides the VM's own CA. */
export type WantedTls = { names: Names; supplied?: SuppliedPair | undefined; order?: Order | undefined }

/** As the context asks. */
export const wantedByContext = (context: Context, names: Names): WantedTls => ({
  names,
  supplied: suppliedPair(context),
  order: orderOf(context),
})

/** As the last configure left it. Throws where it has left nothing. */
export function wantedOnDisk(host: Host, order: Order | undefined): WantedTls {
  const leaf = readLeafPair(host)
  if (leaf === undefined) throw new Error(`No certificate in ${paths.tls}. Fix: run \`${configureCommand}\`.`)
  const inUse = readPairInUse(host)
  const names = namesIn(new X509Certificate(leaf.certificate))
  return {
    names: { dns: names.filter(name => isIP(name) === 0), ip: names.filter(name => isIP(name) !== 0) },
    supplied: inUse.mode === 'supplied' ? { ...inUse, names: [] } : undefined,
    order,
  }
}

/** The pairs of the VM's own certificates, as they are on disk. */
export type OwnPairs = { ca?: Pair | undefined; previousCa?: Pair | undefined; leaf?: Pair | undefined }

export async function readTlsFacts(host: Host, clock: Clock, wanted: WantedTls): Promise<TlsFacts> {
  const pairs = { ca: readCaPair(host), previousCa: readPreviousCaPair(host), leaf: readLeafPair(host) }
  const { names, supplied, order } = wanted
  const own = await describePairs(pairs, names)
  return { clock, names, ...own, supplied, acme: order && readAcme(host, order) }
}

/** The pairs as the decision wants them. */
export async function describePairs({ ca, previousCa, leaf }: OwnPairs, names: Names) {
  // Loaded only by the stages: commands start without it.
  const { default: forge } = await import('node-forge')
  return {
    ca: ca && describeCa(forge, ca),
    previousCa: previousCa && describeCa(forge, previousCa),
    leaf: leaf && describeLeaf(leaf, names, [ca, previousCa]),
  }
}
