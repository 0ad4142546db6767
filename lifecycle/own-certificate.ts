/** The VM's own CA and certificate: the one decision that configure and the daily renewal share. */
import type { Certificates } from '../lib/appliance/certificates.ts'
import type { Clock } from '../lib/appliance/clock.ts'
import type { Names } from '../lib/appliance/names.ts'
import { goodCertificates, withFormerCa } from '../lib/steps/certificate.ts'
import { issueMissing } from '../lib/steps/issue-certificate.ts'

/** What is good of what is there, what is missing made, and the CA that was replaced, if one was. */
export async function decideOwnCertificates(
  found: Partial<Certificates>,
  names: Names,
  clock: Clock,
): Promise<Certificates> {
  const made = await issueMissing(goodCertificates(found, names, clock), names, clock)
  return withFormerCa(made, found, clock.now)
}
