/** What nginx calls (ngx_http_js_module): the request filter, the words of errors, and llama-server's errors made theirs. */
// biome-ignore lint/style/useNodejsImportProtocol: nginx's JavaScript knows it by this name.
import fs from 'fs'
import { checkLocation } from '../appliance/requests/api.ts'
import { type Bounds, errorText } from './answers.ts'
import { nextLines } from './cache-counts.ts'
import { postRoute } from './errors.ts'
import { filterRequest, type Settings } from './filter.ts'
import { modelAnswer } from './models.ts'
import { checkOf, upstreamErrorText } from './upstream-errors.ts'

/** Written before this program by configure. */
declare const settings: Settings & Bounds & { unavailableReason: string }

const json = 'application/json'

function answer(r: NginxHTTPRequest, status: number, body: string): void {
  r.headersOut['Content-Type'] = json
  r.return(status, body)
}

/** The body; undefined where it is not UTF-8, and undefined for one that did not fit into memory. */
function readBody(r: NginxHTTPRequest): { text: string | undefined } | undefined {
  let bytes: Buffer | undefined
  try {
    bytes = r.requestBuffer
  } catch (_) {
    // nginx wrote it to a file (of memory): chunks of a few bytes take more room than what they carry.
    return undefined
  }
  if (bytes === undefined) return { text: '' }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes as unknown as ArrayBuffer) }
  } catch (_) {
    return { text: undefined }
  }
}

/** Content of each POST route: what is allowed goes on to llama-server, as it is written here. */
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
  r.variables.copilot_body = filtered.body
  r.internalRedirect('@llama')
}

/** `GET /v1/models/NAME`. */
function model(r: NginxHTTPRequest): void {
  const found = modelAnswer(r.uri, settings.models)
  answer(r, found.status, JSON.stringify(found.body))
}

function unavailableReason(): string {
  try {
    return fs.readFileSync(settings.unavailableReason).toString().trim().slice(0, 500)
  } catch (_) {
    // There is no such file while nothing is known but that llama-server does not answer.
    return ''
  }
}

/** The text of the error that nginx is about to answer. */
function error(r: NginxHTTPRequest): string {
  const known = r.variables
  const status = Number(known.status)
  return errorText(
    {
      status: status,
      method: r.method,
      target: known.request_uri ?? '',
      path: known.copilot_path ?? '',
      location: r.uri ?? '',
      isTls: known.https === 'on',
      host: known.http_host ?? '',
      contentType: known.http_content_type ?? '',
      contentEncoding: known.http_content_encoding ?? '',
      upstreamStatus: known.upstream_status ?? '',
      unavailableReason: status === 503 ? unavailableReason() : '',
    },
    settings,
  )
}

/** Answers where llama-server has answered 500: with 400 and its words where the request is the reason. */
function failed(r: NginxHTTPRequest): void {
  const path = r.variables.copilot_path as string
  const check = checkOf(path)
  const answerWith = (status: number, said: string) =>
    answer(r, status, upstreamErrorText(path, status, said))
  if (check === undefined) {
    answerWith(500, 'The model server failed to handle the request.')
    return
  }
  r.subrequest(checkLocation + check, { method: 'POST' }, reply => {
    r.variables.copilot_path = path
    if (reply.status === 400 || reply.status === 500) answerWith(400, reply.responseText ?? '')
    else answerWith(500, 'The model server failed while it computed the answer.')
  })
}

function answerHeaders(r: NginxHTTPRequest): void {
  if (r.status < 400) return
  delete r.headersOut['Content-Length']
  r.headersOut['Content-Type'] = json
}

/** What came so far of an error; each request has its own. */
const collected: Buffer[] = []

function answerBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (r.status < 400) {
    // What passes through here has left nginx's sight: it would read on for ever for a client that takes nothing.
    r.sendBuffer(data, flags)
    r.done()
    return
  }
  collected.push(data)
  if (flags.last) r.sendBuffer(upstreamErrorText(r.uri, r.status, Buffer.concat(collected).toString()), flags)
}

/** In the admission proxy, where keys share a cache: whether this answer may hold counts. Each request has its own. */
let hasCounts = false
/** What came of a line that has not ended. */
let held: Buffer[] = []

function countHeaders(r: NginxHTTPRequest): void {
  hasCounts = r.status < 400 && postRoute(r.uri)?.isGeneration === true
  if (hasCounts) delete r.headersOut['Content-Length']
}

/** What a call takes of memory is held until the answer has ended: some 1 kB for each token. */
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
  model: model,
  error: error,
  failed: failed,
  answerHeaders: answerHeaders,
  answerBody: answerBody,
  countHeaders: countHeaders,
  countBody: countBody,
}
