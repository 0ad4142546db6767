/** The VM's own CA and certificate: the one decision that configure and the daily renewal share. */

import type { Names } from '../lib/appliance/names.ts'
import type { Certificates } from '../lib/appliance/tls/certificates.ts'
import type { Clock } from '../lib/appliance/tls/clock.ts'
import { issueMissing } from '../lib/steps/tls/issue-certificate.ts'
import { goodCertificates, withPreviousCa } from '../lib/steps/tls/own-certificate.ts'

/** What is good of what is there, what is missing made, and the CA that was replaced, if one was. */
export async function decideOwnCertificates(
  found: Partial<Certificates>,
  names: Names,
  clock: Clock,
): Promise<Certificates> {
  const made = await issueMissing(goodCertificates(found, names, clock), names, clock)
  return withPreviousCa(made, found, clock.now)
}
