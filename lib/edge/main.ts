/** What nginx calls (ngx_http_js_module): request filter, error texts, rewriting errors and cache counts. */
// biome-ignore lint/style/useNodejsImportProtocol: njs knows the module by this name only.
import fs from 'fs'
import { checkLocation, metricsLocation, metricsPath } from '../appliance/requests/api.ts'
import type { EdgeSettings } from '../appliance/requests/edge-settings.ts'
import { companionKinds } from '../appliance/requests/services.ts'
import { nextLines } from './cache-counts.ts'
import { errorBodyText } from './error-messages.ts'
import { postRoute } from './errors.ts'
import { filterRequest } from './filter.ts'
import { metricsPage } from './metrics.ts'
import { modelAnswer } from './models.ts'
import { routingOf } from './routing.ts'
import { checkPathOf, upstreamErrorText } from './upstream-errors.ts'

/** Defined by configure in front of this program. */
declare const settings: EdgeSettings & { unavailableReason: string; draining: string; metrics: string }

const json = 'application/json'

function answer(r: NginxHTTPRequest, status: number, body: string): void {
  r.headersOut['Content-Type'] = json
  r.return(status, body)
}

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
function filter(r: NginxHTTPRequest): void {
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
function route(r: NginxHTTPRequest): void {
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
  r.variables.copilot_filtered_body = body.text as string
  r.internalRedirect('@fleet')
}

/** The names that requests may use: on a router, the models of the fleet. */
function models(): string[] {
  if (settings.fleetModels === undefined) return settings.models
  const text = textOf(settings.fleetModels)
  return text === '' ? [] : JSON.parse(text).data.map((one: { id: string }) => one.id)
}

/** `GET /v1/models/NAME`. */
function model(r: NginxHTTPRequest): void {
  const companions = settings.companions
  const beside = companionKinds
    .map(kind => companions[kind])
    .filter(one => one !== undefined)
    .map(one => one.model)
  const found = modelAnswer(r.uri, models().concat(beside))
  answer(r, found.status, JSON.stringify(found.body))
}

/** A file's text; empty if it does not exist. */
function textOf(file: string): string {
  try {
    return fs.readFileSync(file).toString()
  } catch (_) {
    return ''
  }
}

/** The file exists only while there is a known reason. */
const unavailableReason = (): string => textOf(settings.unavailableReason).trim().slice(0, 500)

/** The file exists only while the VM is being drained. */
const drainingSince = (): string => textOf(settings.draining).trim().slice(0, 100)

/** The body of the error response that nginx is about to send. */
function error(r: NginxHTTPRequest): string {
  const variables = r.variables
  const status = Number(variables.status)
  return errorBodyText(
    {
      status: status,
      method: r.method,
      target: variables.request_uri ?? '',
      path: variables.copilot_original_path ?? '',
      location: r.uri ?? '',
      isTls: variables.https === 'on',
      host: variables.http_host ?? '',
      contentType: variables.http_content_type ?? '',
      contentEncoding: variables.http_content_encoding ?? '',
      upstreamStatus: variables.upstream_status ?? '',
      exceeded: variables.upstream_http_x_copilot_limit ?? '',
      quota: variables.copilot_quota ?? '',
      service: variables.copilot_service ?? '',
      unavailableReason: status === 503 ? unavailableReason() : '',
      drainingSince: status === 503 ? drainingSince() : '',
    },
    settings,
  )
}

/** Handles llama-server's 500s: if the request caused it, the response is 400 with llama-server's message. */
function explainFailure(r: NginxHTTPRequest): void {
  const path = r.variables.copilot_original_path as string
  const check = checkPathOf(path)
  const answerWith = (status: number, message: string) =>
    answer(r, status, upstreamErrorText(path, status, message))
  if (check === undefined) {
    answerWith(500, 'The model server failed to handle the request.')
    return
  }
  r.subrequest(checkLocation + check, { method: 'POST' }, reply => {
    r.variables.copilot_original_path = path
    if (reply.status === 400 || reply.status === 500) answerWith(400, reply.responseText ?? '')
    else
      answerWith(500, 'The model server failed while it was generating the answer. Send the request again.')
  })
}

/** `GET /metrics`. The admission proxy is asked first and alone: otherwise it would count the other requests as well. */
function metrics(r: NginxHTTPRequest): void {
  const replies: Record<string, string | undefined> = {}
  const ask = (name: string, then: () => void) =>
    r.subrequest(`${metricsLocation}/${name}`, reply => {
      replies[name] = reply.status === 200 ? (reply.responseText ?? '') : undefined
      then()
    })
  let missing = 3
  const finish = () => {
    missing -= 1
    if (missing > 0) return
    r.variables.copilot_original_path = metricsPath
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8'
    r.return(
      200,
      metricsPage({
        written: textOf(settings.metrics),
        edge: replies.edge,
        admission: replies['admission-status'],
        health: replies.health,
        llama: replies.metrics,
        slots: settings.slots,
      }),
    )
  }
  ask('admission-status', () => {
    ask('edge', finish)
    ask('health', finish)
    ask('metrics', finish)
  })
}

/** On a router, a copilot's errors are in the client's format already. */
function passBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  r.sendBuffer(data, flags)
  if (r.status >= 400 || !hasContent(data)) return
  r.variables.copilot_first_byte = r.variables.request_time as string
  r.done()
}

function rewriteErrorHeaders(r: NginxHTTPRequest): void {
  if (r.status < 400) return
  delete r.headersOut['Content-Length']
  r.headersOut['Content-Type'] = json
}

/** Begins a comment in a stream of events. */
const colon = 58

/** The error body received so far; each request has its own copy of this module's state. */
const collected: Buffer[] = []

/** Whether a piece of a stream has more than comments, which llama-server sends while it processes a prompt. */
const hasContent = (data: Buffer): boolean =>
  data.length > 0 && (data[0] !== colon || data.indexOf('\n\n') + 2 < data.length)

function rewriteErrorBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (r.status < 400) {
    r.sendBuffer(data, flags)
    if (!hasContent(data)) return
    r.variables.copilot_first_byte = r.variables.request_time as string
    // nginx does not see what a body filter buffers: it would keep reading for a client that reads nothing.
    r.done()
    return
  }
  collected.push(data)
  if (flags.last) r.sendBuffer(upstreamErrorText(r.uri, r.status, Buffer.concat(collected).toString()), flags)
}

/** In the admission proxy, if keys share a cache: whether this answer may contain counts. Per request. */
let hasCounts = false
/** The part received of an unfinished line. */
let held: Buffer[] = []

function countHeaders(r: NginxHTTPRequest): void {
  hasCounts = r.status < 400 && postRoute(r.uri)?.isGeneration === true
  if (hasCounts) delete r.headersOut['Content-Length']
}

/** The memory of each call is freed only when the answer has ended: about 1 kB per token. */
function countBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (!hasCounts) {
    r.sendBuffer(data, flags)
    r.done()
    return
  }
  const next = nextLines(held, data, flags.last === true)
  held = next.held
  if (next.lines.length > 0 || flags.last) r.sendBuffer(next.lines, flags)
}

export default {
  filter: filter,
  route: route,
  passBody: passBody,
  model: model,
  error: error,
  metrics: metrics,
  explainFailure: explainFailure,
  rewriteErrorHeaders: rewriteErrorHeaders,
  rewriteErrorBody: rewriteErrorBody,
  countHeaders: countHeaders,
  countBody: countBody,
}
