/** Parsers for the values of context variables. Their messages contain no secrets. */
import * as z from 'zod'
import { hostAndPort, hostInUrl } from '../names.ts'
import { mostParallel } from '../sizing/limits.ts'
import { describeOtherPem, type PemKind, readPem } from '../tls/pem.ts'
import { unknown } from '../usage/log-format.ts'
import { shortestKey } from './masking.ts'

export const digits = z
  .string()
  .regex(/^[0-9]{1,9}$/)
  .transform(Number)

export const longestKey = 128

export const key = z
  .string()
  .min(shortestKey)
  .max(longestKey)
  .regex(/^[!-~]*$/)
  .regex(/^[^:"'`\\]*$/)

/** A key, its name in the log, and how many slots it may take at once, if that is limited. */
export type NamedKey = { name: string; key: string; limit?: number }

/** The user name that belongs to the password. */
export const passwordName = 'copilot'

/** The user name that belongs to the key of the metrics. */
export const metricsName = 'metrics'

/** Separators in other programs' lists: inside a key, one is most likely meant to separate pairs. */
const separators = /[,;|&]/

/** What is wrong with a pair, if anything. `before`: the preceding pairs. */
function pairProblem({ name, key: value, limit }: NamedKey, before: NamedKey[]): string | undefined {
  const numberOf = (field: 'name' | 'key', text: string) =>
    before.findIndex(other => other[field] === text) + 1
  const [sameName, sameKey] = [numberOf('name', name), numberOf('key', value)]
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(name) || value === '') return 'not in the form NAME=KEY'
  if (separators.test(value)) return 'a separator in the key: put each pair on a line of its own'
  if (!key.safeParse(value).success) return 'an invalid key after NAME='
  if (limit !== undefined && !(limit >= 1 && limit <= mostParallel))
    return `a colon that is not followed by a limit from 1 to ${mostParallel} (a key contains no colons)`
  if (name === passwordName) return `the name ${passwordName}, which is reserved for the password`
  if (name === unknown) return `the name ${unknown}, which means in the log that there was no key`
  if (sameName > 0) return `the same name as pair ${sameName}`
  if (sameKey > 0) return `the same key as pair ${sameKey}`
  return undefined
}

/** Parses `name=key` or `name=key:limit`; a limit that is no number becomes NaN. Keys contain no colons. */
function pairFrom(text: string): NamedKey {
  const [name = '', rest = ''] = text.split(/=(.*)/s)
  const [value = '', limit] = rest.split(/:(.*)/s)
  if (limit === undefined) return { name, key: value }
  return { name, key: value, limit: /^[0-9]{1,2}$/.test(limit) ? Number(limit) : Number.NaN }
}

/** `name=key` pairs, with limits. Messages refer to a pair by its number: what looks like its name may be a key. */
export const namedKeys = z.string().transform((text, check): NamedKey[] => {
  const named = text.split(/\s+/).filter(Boolean).map(pairFrom)
  for (const [index, pair] of named.entries()) {
    const problem = pairProblem(pair, named.slice(0, index))
    if (problem !== undefined) check.addIssue({ code: 'custom', message: `pair ${index + 1}: ${problem}` })
  }
  return named
})

/** PEM blocks of one kind, in strict form. */
export const pem = (kind: PemKind) =>
  z.string().transform((text, check) => {
    const found = readPem(kind, text)
    if (found !== undefined) return found
    check.addIssue({ code: 'custom', message: describeOtherPem(kind, text) })
    return z.NEVER
  })

export const yesOrNo = z.enum(['YES', 'NO']).transform(answer => answer === 'YES')

export const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'

const host = new RegExp(`^(?=.{1,253}$)(${label}\\.)*${label}$|^(?=.*:)[0-9a-f:.]{2,45}$`, 'i')

/** Whether a text is a host's name or address. */
export const isHost = (text: string) => host.test(text)

/** Names and addresses, separated by commas or white space. */
export const hosts = z
  .string()
  .transform(text => text.split(/[\s,]+/).filter(Boolean))
  .pipe(z.array(z.string().regex(host)).max(8))

/** Of one machine, of one network, or of many. */
const notFloating = /^(0|127|22[4-9]|2[3-5]\d|169\.254)\.|^(::1?$|::ffff:|fe[89ab]|ff)/

/** An address as the kernel prints it. */
const address = z.string().transform((text, check) => {
  const found = /^[0-9.]+$|:/.test(text) ? URL.parse(`http://${hostInUrl(text)}`) : undefined
  const canonical = found && hostAndPort(found).host
  const isAsGiven = canonical === text || text.includes(':')
  if (canonical && isAsGiven && !notFloating.test(canonical)) return canonical
  check.addIssue({ code: 'invalid_format', format: 'ip' })
  return z.NEVER
})

const isIpv6 = (text: string) => text.includes(':')

/** One for each family at most, the IPv4 one first. */
export const floatingAddresses = z
  .string()
  .transform(text => text.split(/[\s,]+/).filter(Boolean))
  .pipe(z.array(address).max(2))
  .refine(([first, second]) => second === undefined || isIpv6(first as string) !== isIpv6(second), {
    abort: true,
  })
  .transform(found => found.toSorted((a, b) => Number(isIpv6(a)) - Number(isIpv6(b))))

/** Receives syslog over TLS. Its certificate must have this name, so an address will not do. */
export type SyslogReceiver = { host: string; port: number }

/** Assigned by RFC 5425, 4.1. */
const syslogPort = '6514'
const syslogUrl = new RegExp(
  `^tls://(?=.{1,259}$)(?<host>(${label}\\.)*(?=[a-z0-9-]*[a-z])${label})(:(?<port>[0-9]{1,5}))?/?$`,
)

/** `tls://host` or `tls://host:port`. */
export const syslogReceiver = z
  .string()
  .toLowerCase()
  .regex(syslogUrl)
  .transform((text, check): SyslogReceiver => {
    const { host = '', port = syslogPort } = syslogUrl.exec(text)?.groups ?? {}
    if (Number(port) < 1 || Number(port) > 65_535)
      check.addIssue({ code: 'custom', message: `the port ${port}, which is not from 1 to 65535` })
    return { host, port: Number(port) }
  })

/** Why a URL is not that of a GGUF file, if that is so. */
function modelUrlProblem(text: string): string | undefined {
  const url = URL.parse(text)
  const isKnown = url !== null && /^(https?|file):\/\/./i.test(text)
  if (!isKnown || /\s/.test(text) || text.length > 1000) return 'no http, https or file URL'
  if (url.protocol === 'file:' && url.host !== '') return 'a file URL with a host'
  if (/[@?#]/.test(text)) return 'a URL with credentials, a query or a fragment'
  if (/\/blob\//.test(url.pathname) && /(^|\.)huggingface\.co$/.test(url.hostname))
    return 'the URL of a page about the file: /resolve/ in place of /blob/ is the file itself'
  return /\.gguf$/i.test(url.pathname) ? undefined : 'a URL that does not end in .gguf'
}

/** The URL of a GGUF file. The messages do not repeat it: it may contain a key. */
export const modelFileUrl = z.string().transform((text, check) => {
  const problem = modelUrlProblem(text)
  if (problem === undefined) return text
  check.addIssue({ code: 'custom', message: problem })
  return z.NEVER
})
