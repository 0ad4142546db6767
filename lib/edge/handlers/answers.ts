/** Filters of answers on their way through nginx: errors are rewritten, and counts of cached tokens hidden. */
import { isGenerated, nextLines } from '../cache-counts.ts'
import { hasContent } from '../first-byte.ts'
import { upstreamErrorText } from '../upstream-errors.ts'

/** Passes a piece of an answer on; with the first content, records the time, and leaves the rest to nginx. */
function passUntilContent(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  r.sendBuffer(data, flags)
  if (!hasContent(data)) return
  r.variables.copilot_first_byte = r.variables.request_time as string
  // nginx does not see what a body filter buffers: it would keep reading for a client that reads nothing.
  r.done()
}

/** On a router, where a copilot's errors are in the client's format already. */
export function timeFirstByte(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (r.status < 400) passUntilContent(r, data, flags)
  else r.sendBuffer(data, flags)
}

export function rewriteErrorHeaders(r: NginxHTTPRequest): void {
  if (r.status < 400) return
  delete r.headersOut['Content-Length']
  r.headersOut['Content-Type'] = 'application/json'
}

/** The error body received so far; each request has its own copy of this module's state. */
const collected: Buffer[] = []

/** Passes answers on, and errors in the format of the client's API. */
export function rewriteErrorBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (r.status < 400) {
    passUntilContent(r, data, flags)
    return
  }
  collected.push(data)
  if (flags.last) r.sendBuffer(upstreamErrorText(r.uri, r.status, Buffer.concat(collected).toString()), flags)
}

/** In the admission proxy, if keys share a cache: whether this answer may contain counts. Each request has its own. */
let hasCounts = false
/** The part received of an unfinished line. */
let held: Buffer[] = []

export function countHeaders(r: NginxHTTPRequest): void {
  hasCounts = r.status < 400 && isGenerated(r.uri)
  if (hasCounts) delete r.headersOut['Content-Length']
}

/** Hides counts of cached tokens. njs frees the memory of each call, about 1.4 kB per token, only when the answer has ended. */
export function countBody(r: NginxHTTPRequest, data: Buffer, flags: NginxHTTPSendBufferOptions): void {
  if (!hasCounts) {
    r.sendBuffer(data, flags)
    r.done()
    return
  }
  const next = nextLines(held, data, flags.last === true)
  held = next.held
  if (next.lines.length > 0 || flags.last) r.sendBuffer(next.lines, flags)
}
