/** The roles of a VM, and the copilots that a router is given by hand. */
import * as z from 'zod'
import { hostAndPort } from '../names.ts'
import { isAddress } from './fleet.ts'

export const roles = ['copilot', 'router'] as const
export type Role = (typeof roles)[number]

/** A copilot by its URL. */
export const backendSchema = z.strictObject({
  host: z.string(),
  port: z.int(),
  /** Of its CA's or its own certificate, SHA-256; absent if a public CA has issued that. */
  fingerprint: z.string().optional(),
})

export type Backend = z.infer<typeof backendSchema>

const fingerprint = /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/i

/** The largest fleet that `make bench BENCH=fleet` simulates. */
export const mostBackends = 256

/** Parses `https://HOST[:PORT]` or `https://HOST[:PORT]=FINGERPRINT`; undefined if it is neither. */
function backendFrom(text: string): Backend | undefined {
  const [address = '', print] = text.split(/=(.*)/s)
  const url = URL.parse(address)
  if (url === null || !/^https:\/\/[^/?#@]+\/?$/.test(address)) return undefined
  if (print !== undefined && !fingerprint.test(print)) return undefined
  return { ...hostAndPort(url), ...(print !== undefined && { fingerprint: print.toUpperCase() }) }
}

/** Copilots, separated by white space. */
export const backends = z.string().transform((text, check): Backend[] => {
  const words = text.split(/\s+/).filter(Boolean)
  const found = words.map(backendFrom)
  const fail = (message: string) => check.addIssue({ code: 'custom', message })
  for (const [index, backend] of found.entries())
    if (backend === undefined) fail(`entry ${index + 1}: not in the form https://ADDRESS=FINGERPRINT`)
  for (const [index, backend] of found.entries())
    if (backend !== undefined && backend.fingerprint === undefined && isAddress(backend.host))
      fail(`entry ${index + 1}: an address without a fingerprint (only a name may come without one)`)
  const named = found.filter(backend => backend !== undefined)
  const places = named.map(({ host, port }) => `${host}:${port}`)
  if (new Set(places).size < places.length) fail('the same address twice')
  if (named.length > mostBackends) fail(`${named.length} entries: at most ${mostBackends} are possible`)
  return named
})
