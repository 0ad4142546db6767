/** Requests with a body, on their way to llama-server or to a router's copilots; and models by name. */
import { companionKinds } from '../../appliance/requests/services.ts'
import { filterRequest } from '../filter.ts'
import { modelAnswer } from '../models.ts'
import { routingOf } from '../routing.ts'
import { answer, type NginxSettings, textOf } from './common.ts'

declare const settings: NginxSettings

/** The body, its text undefined if it is not UTF-8; undefined if nginx could not keep it in memory. */
function readBody(r: NginxHTTPRequest): { text: string | undefined } | undefined {
  let bytes: Buffer | undefined
  try {
    bytes = r.requestBuffer
  } catch (_) {
    // nginx has written it to a file (on tmpfs): chunks of a few bytes take more room than their content.
    return undefined
  }
  if (bytes === undefined) return { text: '' }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes as unknown as ArrayBuffer) }
  } catch (_) {
    return { text: undefined }
  }
}

/** Handles every POST route: sends what the filter wrote to llama-server. */
export function filter(r: NginxHTTPRequest): void {
  const body = readBody(r)
  if (body === undefined) {
    r.return(413)
    return
  }
  const filtered = filterRequest(r.uri, body.text, settings, r.variables.copilot_tenant_salt)
  if ('status' in filtered) {
    answer(r, filtered.status, JSON.stringify(filtered.error))
    return
  }
  r.variables.copilot_filtered_body = filtered.body
  r.variables.copilot_service = filtered.service
  r.internalRedirect(filtered.service === 'chat' ? '@llama' : '@companion')
}

/** On a router, handles every POST route: passes the body on as it is, with what decides which copilot gets it. */
export function route(r: NginxHTTPRequest): void {
  const body = readBody(r)
  if (body === undefined) {
    r.return(413)
    return
  }
  const headers = r.headersIn as unknown as Record<string, string | undefined>
  const routed = routingOf(r.uri, body.text, headers, r.variables.copilot_tenant as string)
  if ('status' in routed) {
    answer(r, routed.status, JSON.stringify(routed.error))
    return
  }
  r.variables.copilot_session = routed.session
  r.variables.copilot_model = routed.model
  r.variables.copilot_service = routed.service
  r.internalRedirect('@fleet')
}

/** The names that requests may use: on a router, the models of the fleet. */
function models(): string[] {
  if (settings.fleetModels === undefined) return settings.models
  const text = textOf(settings.fleetModels)
  return text === '' ? [] : JSON.parse(text).data.map((one: { id: string }) => one.id)
}

/** `GET /v1/models/NAME`. */
export function model(r: NginxHTTPRequest): void {
  const companions = settings.companions
  const beside = companionKinds
    .map(kind => companions[kind])
    .filter(one => one !== undefined)
    .map(one => one.model)
  const found = modelAnswer(r.uri, models().concat(beside))
  answer(r, found.status, JSON.stringify(found.body))
}
