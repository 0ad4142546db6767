/** What log, report and login banner say about TLS. */
import type { Names } from '../names.ts'
import type { Ca } from './certificates.ts'
import { type Clock, type Dates, validity } from './clock.ts'
import { replacedAt, type SuppliedPair } from './decision.ts'
import { namesNotPermitted } from './name-constraints.ts'

const day = 86_400_000

export type TlsState = {
  clock: Clock
  names: Names
  ca: Ca
  previousCa?: Ca | undefined
  supplied?: SuppliedPair | undefined
}

/** Notes on the current state: dates that the clock contradicts, a new CA, a certificate for other names. */
export const tlsNotes = (state: TlsState): string[] => [
  ...clockNotes(state),
  ...newCaNotes(state),
  ...suppliedPairNotes(state),
]

/** For a CA that is kept although it is not valid by this clock. */
function clockNotes({ ca, clock }: TlsState): string[] {
  if (ca.certificate === undefined || isValid(ca.certificate.dates, clock.now)) return []
  const { from, to } = ca.certificate.dates
  const [now, start, end] = [clock.now, from, to].map(date => date.toISOString().slice(0, 10))
  return [
    `The clock of this VM says ${now}, and no time source confirms it. The CA, valid from ${start} to ${end}, is kept. ` +
      'If the clock is wrong, correct it, e.g. by ONEAPP_COPILOT_NTP_SERVERS.',
  ]
}

const isValid = ({ from, to }: Dates, at: Date) => from <= at && at < to

/** For a CA's first days, if it replaced another one: that it did, and why. */
function newCaNotes({ ca, previousCa, names, clock }: TlsState): string[] {
  const [current, previous] = [ca.certificate, previousCa?.certificate]
  if (current === undefined || previous === undefined || previousCa === undefined) return []
  // If that is not recorded: a new CA's dates begin a day before it is issued.
  const since = replacedAt(previousCa) ?? new Date(current.dates.from.getTime() + day)
  if (clock.now.getTime() - since.getTime() > validity.announceCa * day) return []
  return [
    `This VM has a new CA: trust it on each developer's machine in place of the previous one.${reason(previousCa, names)}` +
      ` SHA-256 of the previous CA: ${previous.fingerprint} and of the new CA: ${current.fingerprint}`,
  ]
}

function reason(previousCa: Ca, names: Names): string {
  const beyond = namesNotPermitted(previousCa.certificate?.constraints, names)
  if (beyond.length > 0) return ` The previous CA may not sign for ${beyond.join(', ')}.`
  return previousCa.hasKey ? '' : " The previous CA's key was missing or damaged."
}

const suppliedPairNotes = ({ supplied }: TlsState): string[] =>
  supplied?.missing === undefined
    ? []
    : [`The supplied certificate is not for ${supplied.missing}: it is for ${supplied.names.join(', ')}.`]
