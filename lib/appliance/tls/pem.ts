/** PEM as people paste it (RFC 7468, and what OpenSSL also accepts), normalised to its strict form. */

/** The labels of each kind, from OpenSSL's pem.h. */
const labels = {
  certificate: ['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE'],
  'private key': ['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'],
} as const

export type PemKind = keyof typeof labels

/** What is often pasted instead, in words. */
const otherLabels: Record<string, string> = {
  'ENCRYPTED PRIVATE KEY': 'a private key with a passphrase',
  'OPENSSH PRIVATE KEY': 'a private key in OpenSSH format',
  'CERTIFICATE REQUEST': 'a certificate signing request, not a certificate',
  'NEW CERTIFICATE REQUEST': 'a certificate signing request, not a certificate',
  'PUBLIC KEY': 'a public key',
  PKCS7: 'a PKCS #7 bundle',
}

/** The bytes as text: UTF-16 if they have its byte order mark, as PowerShell writes, otherwise UTF-8. */
const decoded = (bytes: Buffer) => bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8')

/** Decodes Base64, on one line or several; undefined if the text is not Base64. */
function fromBase64(text: string): string | undefined {
  const joined = text.replace(/\s|\\[rn]/g, '')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(joined) ? decoded(Buffer.from(joined, 'base64')) : undefined
}

/** The text as given, decoded once, and decoded twice: Sunstone encodes again what was encoded already. */
function readings(text: string): string[] {
  const once = fromBase64(text)
  const twice = once === undefined ? undefined : fromBase64(once)
  return [text, once, twice].filter(reading => reading !== undefined)
}

const block = /-----BEGIN ([A-Z0-9 ]+?) ?-----([A-Za-z0-9+/=\s]+)-----END \1 ?-----/g

/** The labels and contents of a text's PEM blocks, whatever is between them; line ends may be escaped. */
const blocksIn = (text: string) =>
  [...text.replaceAll(/\\r|\\n/g, '\n').matchAll(block)].map(([, label = '', content = '']) => ({
    label,
    content: content.replace(/\s/g, ''),
  }))

const strictPem = (label: string, content: string) =>
  `-----BEGIN ${label}-----\n${(content.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`

/** A text's blocks of one kind, as strict PEM; undefined if there are none. */
export function readPem(kind: PemKind, text: string): string | undefined {
  const isKind = (label: string) => labels[kind].some(known => known === label)
  for (const reading of readings(text)) {
    const found = blocksIn(reading).filter(({ label }) => isKind(label))
    if (found.length === 0) continue
    return found.map(({ label, content }) => strictPem(label.replace('X509 ', ''), content)).join('')
  }
  return undefined
}

/** Describes a text without PEM of the wanted kind, quoting none of it. */
export function describeOtherPem(kind: PemKind, text: string): string {
  const whole = readings(text).join('\n')
  // RFC 1421, 4.6.1.1: OpenSSL's traditional format of a key with a passphrase.
  if (/Proc-Type: ?4,ENCRYPTED/.test(whole)) return 'a private key with a passphrase'
  const begun = [...whole.matchAll(/-----BEGIN ([A-Z0-9 ]+?) ?-----/g)].map(([, label = '']) => label)
  for (const label of begun) if (otherLabels[label] !== undefined) return otherLabels[label]
  for (const other of ['certificate', 'private key'] as const)
    if (labels[other].some(label => begun.includes(label)))
      return other === kind ? `a PEM ${kind} that is cut off or damaged` : `a ${other} instead of a ${kind}`
  return `text that is not a PEM ${kind}`
}
