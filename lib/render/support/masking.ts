/** Masks secrets in what a support bundle contains: known ones in every encoding, and whatever looks like one. */
import { exactly } from '../nginx/syntax.ts'
import { saltOf } from '../nginx/tenants.ts'

export type Mask = (text: string) => string

const masked = '[masked]'

/** Shorter texts are words and numbers, which would be masked wherever they occur. */
const shortest = 8

/** A secret in Base64, at any offset: the characters that depend on it alone. */
function base64Of(secret: string): string[] {
  const length = Buffer.byteLength(secret)
  return [0, 1, 2].map(offset => {
    const text = Buffer.from('\0'.repeat(offset) + secret).toString('base64')
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + length) * 8) / 6))
  })
}

/** A secret in a URL (as JavaScript and as RFC 3986 have it) and in a form, with escapes in either case. */
function urlEncoded(secret: string): string[] {
  const component = encodeURIComponent(secret)
  const strict = component.replace(/[!'()*]/g, found => `%${found.charCodeAt(0).toString(16)}`)
  return [component, strict]
    .flatMap(text => [text, text.replaceAll('%20', '+')])
    .concat(new URLSearchParams([['', secret]]).toString().slice(1))
    .flatMap(text => [
      text.replace(/%../g, code => code.toUpperCase()),
      text.replace(/%../g, code => code.toLowerCase()),
    ])
}

/** The texts in which a secret may occur. */
function formsOf(secret: string): string[] {
  const base64 = base64Of(secret)
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    ...urlEncoded(secret),
    ...base64,
    ...base64.map(text => text.replaceAll('+', '-').replaceAll('/', '_')),
    ...base64.map(encodeURIComponent),
    Buffer.from(secret).toString('hex'),
    Buffer.from(secret).toString('hex').toUpperCase(),
    exactly(secret),
    saltOf(secret),
  ]
}

const asPattern = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Masks these secrets, longest form first, and what `maskedByForm` finds. */
export function maskFor(secrets: string[]): Mask {
  const known = [...new Set(secrets)].filter(secret => secret.length >= shortest)
  const forms = [...new Set(known.flatMap(formsOf))]
  forms.sort((a, b) => b.length - a.length)
  // In portions, since a file with many words gives more alternatives than one expression can hold.
  const patterns: RegExp[] = []
  for (let start = 0; start < forms.length; start += 500)
    patterns.push(
      new RegExp(
        forms
          .slice(start, start + 500)
          .map(asPattern)
          .join('|'),
        'g',
      ),
    )
  return text => maskedByForm(patterns.reduce((rest, pattern) => rest.replace(pattern, masked), text))
}

const privateKeys = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g
const headers =
  /\b((?:proxy-)?authorization|x-api-key|x-onegate-token|(?:set-)?cookie)(["']?\s*[:=]\s*["']?)[^\r\n"']+/gi
const schemes = /\b(bearer|basic) +[A-Za-z0-9+/_=~.-]{6,}/gi
const assignments =
  /\b([\w-]*(?:password|passwd|passphrase|secret|token|credentials?|api_?key|(?<![\w-])key)[\w-]*)(["']?\s*[:=]\s*["']?)[^\s"',;&)}\]]{4,}/gi
const userInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi
const query = /(\?)[^\s"'<>]*=[^\s"'<>]*/g

/** nginx's maps from keys to tenants, and from tenants to salts. */
const keyMap = /(map \$http_(?:authorization|x_api_key) [^{]*\{)([^}]*)\}/g
const saltMap = /(map \$\w+ \$copilot_(?:own|tenant)_salt \{)([^}]*)\}/g

const word = /(?<![A-Za-z0-9+/_~.:@\\-])[A-Za-z0-9+_~-][A-Za-z0-9+/_~-]{15,}={0,2}/g
/** Digests and IDs, UUIDs, and names of several short words. */
const harmless =
  /^(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]{0,10}(?:[-_/+][a-z0-9]{0,10})*|[A-Z0-9_]+)$/

/** A long word of letters and digits may be a secret that nothing here knows. */
const unknownWord = (found: string) =>
  /[a-z]/i.test(found) && /\d/.test(found) && !harmless.test(found) ? masked : found

/** Masks what has the form of a secret. */
export const maskedByForm: Mask = text =>
  text
    .replace(keyMap, (_, head, body: string) => `${head}${body.replace(/"~[^"]*"/g, `"${masked}"`)}}`)
    .replace(saltMap, (_, head, body: string) => `${head}${body.replace(/ [A-Za-z]+;/g, ` ${masked};`)}}`)
    .replace(privateKeys, '[masked: a private key]')
    .replace(headers, `$1$2${masked}`)
    .replace(schemes, `$1 ${masked}`)
    .replace(assignments, `$1$2${masked}`)
    .replace(userInUrl, `$1${masked}@`)
    .replace(query, `$1${masked}`)
    .replace(word, unknownWord)
