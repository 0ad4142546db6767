/** What is known of a request that failed, and the shape of the error's text. */
import type { EdgeSettings } from '../appliance/requests/edge-settings.ts'

/** What nginx knows about a failed request; an empty string if it knows nothing. */
export type FailedRequest = {
  status: number
  method: string
  /** The request target as sent, nginx's normalised path, and the location after internal redirects. */
  target: string
  path: string
  location: string
  isTls: boolean
  /** Request headers. */
  host: string
  contentType: string
  contentEncoding: string
  /** The status of the response from upstream, if there was one. */
  upstreamStatus: string
  /** The limit that the admission proxy says was exceeded, and the tenant's own limit, if it has one. */
  exceeded: string
  quota: string
  /** The model service that it is for; empty if that is unknown, and on a router also for chat. */
  service: string
  /** Why llama-server is unavailable, if known. */
  unavailableReason: string
  /** Since when the VM is being drained, if it is. */
  drainingSince: string
}

export type RequestLimits = Pick<
  EdgeSettings,
  'contextSize' | 'bodyLimit' | 'answerTimeout' | 'slots' | 'fleetModels'
>

export type ErrorText = { message: string; code: string }
export const errorOf = (message: string, code: string): ErrorText => ({ message: message, code: code })
