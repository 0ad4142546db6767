/** Every day, by a timer: another private certificate where the present one ends soon, though nobody boots. */
import { services } from '../lib/appliance/services/services.ts'
import { applyService } from '../lib/steps/services/services.ts'
import { readClock } from '../lib/steps/tls/clock.ts'
import {
  inUseFiles,
  ownPairFiles,
  pairFiles,
  readPairInUse,
  supersededPairs,
} from '../lib/steps/tls/installed-pairs.ts'
import { caFiles, namesOfLeaf, ownPair, readCertificates } from '../lib/steps/tls/own-certificate.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import { decideOwnCertificates } from './own-certificate.ts'

/** Renews the private certificate for the names that it has, and has nginx take it up. Most days there is nothing to do. */
export async function renew(host: Host): Promise<void> {
  const found = readCertificates(host)
  const names = namesOfLeaf(found)
  const certificates = await decideOwnCertificates(found, names, await readClock(host))
  if (certificates.leaf === found.leaf) return

  const own = ownPair(certificates)
  const before = readPairInUse(host)
  const served = before.mode === 'private' ? own : before
  await applyFiles(host, [...caFiles(certificates), ...pairFiles(own), ...inUseFiles(served)])
  await applyService(host, services.nginx)
  // The link by which the pair is found comes last: killed before, the next day's run finds the old one, and goes on.
  await applyFiles(host, [...ownPairFiles(own), ...supersededPairs(host, [own, served])])
}
