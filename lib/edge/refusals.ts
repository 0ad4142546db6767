/** The texts of errors that a client may just repeat: too many requests (429), or nothing to answer them (503). */
import { deniedLocation } from '../appliance/requests/api.ts'
import { type ErrorText, errorOf, type FailedRequest, type RequestLimits } from './failed-request.ts'

/** The tenant's own limit, or else all slots but one. */
function keyLimit(request: FailedRequest, limits: RequestLimits): string {
  const share = limits.slots - 1
  if (request.quota !== '' && Number(request.quota) <= share)
    return `This API key is already using its limit of ${slotCount(Number(request.quota))}. Try again when an answer has ended.`
  if (limits.fleetModels !== undefined)
    return 'This API key is using all slots of the fleet but one, which is kept for other keys. Try again when an answer has ended.'
  return `This API key is using ${slotCount(share)}: the last one is kept for other keys. Try again when an answer has ended.`
}

const slotCount = (slots: number) => (slots === 1 ? '1 slot' : `${slots} slots`)

/** The text of a 429, by the limit that was exceeded. */
export function tooMany(request: FailedRequest, limits: RequestLimits): ErrorText {
  if (request.location === deniedLocation)
    return errorOf(
      'Too many requests with a wrong API key from this address. Check the key, and try again later.',
      'rate_limit_exceeded',
    )
  if (request.upstreamStatus === '')
    return errorOf(
      'Too many requests at once or per second with this API key. Try again shortly.',
      'rate_limit_exceeded',
    )
  if (isForCompanion(request))
    return errorOf(`The service for ${request.service} is busy. Try again shortly.`, 'rate_limit_exceeded')
  if (request.exceeded === 'key') return errorOf(keyLimit(request, limits), 'rate_limit_exceeded')
  if (request.exceeded === 'counts')
    return errorOf(
      'Too many requests that count tokens are in progress. Try again shortly.',
      'rate_limit_exceeded',
    )
  if (limits.fleetModels !== undefined)
    return errorOf('All slots of the fleet are busy. Try again shortly.', 'rate_limit_exceeded')
  return errorOf('All slots are busy. Try again shortly.', 'rate_limit_exceeded')
}

const isForCompanion = (request: FailedRequest) => request.service !== '' && request.service !== 'chat'

const draining = (since: string) =>
  `This VM has been draining since ${since}: it finishes the answers in progress, and accepts no new requests. Send the request again later, or to another VM.`

/** The text of a 503. */
export function unavailable(request: FailedRequest, limits: RequestLimits): ErrorText {
  // Before any other reason: whatever else is wrong, nothing new is accepted here.
  if (request.drainingSince !== '') return errorOf(draining(request.drainingSince), 'draining')
  if (isForCompanion(request))
    return errorOf(
      `The service for ${request.service} is not running: it is starting, or its model is still being downloaded. Try again shortly.`,
      'unavailable',
    )
  if (request.unavailableReason !== '') return errorOf(request.unavailableReason, 'unavailable')
  // If a router has sent the request several times, the last status counts.
  if (limits.fleetModels !== undefined && /(^|\D)401$/.test(request.upstreamStatus))
    return errorOf(
      'A copilot of the fleet does not accept the key of this router. Tell its administrator: ONEAPP_COPILOT_FLEET_KEY must be the same on all its VMs.',
      'unavailable',
    )
  if (request.upstreamStatus === '502') {
    return errorOf(
      'The model server stopped while it was answering, and is being restarted. Send the request again.',
      'unavailable',
    )
  }
  if (limits.fleetModels !== undefined)
    return errorOf('No copilot of the fleet is ready. Try again shortly.', 'unavailable')
  return errorOf('The model is loading. Try again shortly.', 'unavailable')
}
