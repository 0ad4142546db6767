/** Masking: how much of a user-supplied value may be shown. Every such value passes through here. */

/** Every key has at least this many characters; anything shorter is not a key. */
export const shortestKey = 12

/** A URL's scheme and host; the rest may contain a password or a token. */
function describeUrl(text: string): string | undefined {
  const match = text.match(/^\s*([a-z][a-z0-9+.-]{0,9}:\/\/)(?:[^/?#]*@)?([^/?#@\s]*)/i)
  if (match === null) return undefined
  const [shown, scheme = '', host = ''] = match
  if (text.lastIndexOf('@') >= shown.length) return undefined
  // A host's name is public; a longer text, or a long one without a dot, may be a key.
  const isHost = /^[a-z0-9.-]{1,80}(:[0-9]{1,5})?$|^\[[0-9a-f:.]{2,45}\](:[0-9]{1,5})?$/i.test(host)
  const rest = text.length > shown.length || shown.includes('@') ? '...' : ''
  return isHost && (host.length < shortestKey || /[.:]/.test(host)) ? `${scheme}${host}${rest}` : undefined
}

const countOf = (text: string) => `${text.length} character${text.length === 1 ? '' : 's'}`

/** Of a key that was pasted with a line break, the length alone does not say what is wrong. */
const describeLength = (text: string) => `${countOf(text)}${/\s/.test(text) ? ' including whitespace' : ''}`

/**
 * A value in words that are safe for logs: a secret's length; of other values, only what cannot hold a key,
 * because keys get pasted into the wrong variable.
 */
export function masked(text: string, isSecret: boolean): string {
  if (isSecret) return describeLength(text)
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(text)) return `a private key of ${countOf(text)}`
  const url = describeUrl(text)
  if (url !== undefined) return JSON.stringify(url)
  if (text.length < shortestKey) return JSON.stringify(text)
  return `${describeLength(text)}; long values are not shown, because they may be keys`
}
