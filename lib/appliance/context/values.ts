/** How the text of a context variable is read, and what is wrong with it told without a secret. */
import * as z from 'zod'
import { describeOtherPem, type PemKind, readPem } from '../tls/pem.ts'
import { shortestKey } from './masking.ts'

export const digits = z
  .string()
  .regex(/^[0-9]{1,9}$/)
  .transform(Number)

export const key = z
  .string()
  .min(shortestKey)
  .max(128)
  .regex(/^[!-~]*$/)
  .regex(/^[^:"'`\\]*$/)

/** A key, and the name under which the log knows it. */
export type NamedKey = { name: string; key: string }

/** The name of the password's own user. */
export const passwordName = 'copilot'

/** What joins several pairs in other programs' lists: inside a key it is most likely meant for that. */
const separators = /[,;|&]/

/** What is wrong with a pair, if anything; `before` are those in front of it. */
function pairProblem({ name, key: value }: NamedKey, before: NamedKey[]): string | undefined {
  const isLike = (field: keyof NamedKey, text: string) => before.findIndex(other => other[field] === text) + 1
  const [sameName, sameKey] = [isLike('name', name), isLike('key', value)]
  if (!/^[A-Za-z0-9._-]{1,32}$/.test(name) || value === '') return 'is no NAME=KEY pair'
  if (separators.test(value)) return 'has a separator in it: put each pair on a line of its own'
  if (!key.safeParse(value).success) return 'is no key after its NAME='
  if (name === passwordName) return `has the name ${passwordName}, which is the password's`
  if (sameName > 0) return `has the same name as number ${sameName}`
  if (sameKey > 0) return `is the same key as number ${sameKey}`
  return undefined
}

/** `name=key` pairs. What is wrong with one is told by its number: what looks like its name may be a key. */
export const namedKeys = z.string().transform((text, check): NamedKey[] => {
  const named = text
    .split(/\s+/)
    .filter(Boolean)
    .map(pair => pair.split(/=(.*)/s))
    .map(([name = '', value = '']) => ({ name, key: value }))
  for (const [index, pair] of named.entries()) {
    const problem = pairProblem(pair, named.slice(0, index))
    if (problem !== undefined) check.addIssue({ code: 'custom', message: `number ${index + 1} ${problem}` })
  }
  return named
})

/** Blocks of PEM of a kind, strictly written. */
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

/** Names and addresses, with commas or white space between them. */
export const hosts = z
  .string()
  .transform(text => text.split(/[\s,]+/).filter(Boolean))
  .pipe(z.array(z.string().regex(host)).max(8))
