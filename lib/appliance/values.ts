/** How the text of a context variable is read, and what is wrong with it told without a secret. */
import * as z from 'zod'

export const digits = z
  .string()
  .regex(/^[0-9]{1,9}$/)
  .transform(Number)

export const key = z
  .string()
  .regex(/^[!-~]{12,128}$/)
  .regex(/^[^:"'`\\]*$/)

/** A key, and the name under which the log knows it. */
export type NamedKey = { name: string; key: string }

/** The name of the password's own user. */
export const passwordName = 'copilot'

/** `name=key` pairs; what is wrong with them is told by name, and no key is shown. */
export const namedKeys = z.string().transform((text, check): NamedKey[] => {
  const tell = (message: string) => check.addIssue({ code: 'custom', message })
  const pairs = text.split(/\s+/).filter(Boolean)
  const named = pairs
    .map(pair => pair.split(/=(.*)/s))
    .map(([name = '', value = '']) => ({ name, key: value }))
  for (const [index, { name, key: value }] of named.entries()) {
    const before = named.slice(0, index)
    const twin = before.find(other => other.key === value)
    if (!/^[A-Za-z0-9._-]{1,32}$/.test(name)) tell(`the name of key ${index + 1}`)
    else if (name === passwordName) tell(`the name ${name}, which is the password's`)
    else if (before.some(other => other.name === name)) tell(`${name} twice`)
    else if (!key.safeParse(value).success) tell(`the key of ${name}`)
    else if (twin !== undefined) tell(`the same key for ${twin.name} and ${name}`)
  }
  return named
})

/** Base64, line breaks allowed, of a text; undefined when it is none. */
function fromBase64(text: string): string | undefined {
  const joined = text.replace(/\s/g, '')
  return /^[A-Za-z0-9+/]+={0,2}$/.test(joined) ? Buffer.from(joined, 'base64').toString() : undefined
}

/** Text with PEM in it (RFC 7468), as it is or in Base64; twice, when Base64 was entered where Sunstone adds its own. */
export const pem = (kind: 'certificate' | 'private key') =>
  z.string().transform((text, check) => {
    const found = [text, fromBase64(text), fromBase64(fromBase64(text) ?? '')]
      .map(reading => reading?.replaceAll('\r\n', '\n').match(pemBlocks[kind])?.join('\n'))
      .find(blocks => blocks !== undefined)
    if (found !== undefined) return `${found}\n`
    check.addIssue({ code: 'custom', message: `a text without a ${kind}` })
    return z.NEVER
  })

const pemBlocks = {
  certificate: /-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----/g,
  'private key':
    /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END (?:RSA |EC )?PRIVATE KEY-----/g,
}

export const yesOrNo = z.enum(['YES', 'NO']).transform(answer => answer === 'YES')

export const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'
