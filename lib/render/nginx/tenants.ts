/** Separates tenants' prompt caches by a secret prefix of each tenant's prompts, its salt. */
import { createHmac } from 'node:crypto'
import type { Site } from './site.ts'
import { entries, nameIn } from './syntax.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 52 ^ 12 is more than 2 ^ 68. */
const saltLength = 12

/** A tenant's salt, derived from its key: constant across restarts, and known only to holders of the key. */
export function saltOf(key: string): string {
  let number = BigInt(`0x${createHmac('sha256', key).update('slm-copilot: prompt cache').digest('hex')}`)
  let salt = ''
  while (salt.length < saltLength) {
    salt += letters.charAt(Number(number % 52n))
    number /= 52n
  }
  return salt
}

/** The variable with the salt of a key's tenant; empty if all share one cache. */
export const tenantMap = ({ keys, cacheSharing }: Pick<Site, 'keys' | 'cacheSharing'>) => `\
# Begins every prompt: what is cached for one key can be reused for that key only.
map $copilot_own_tenant $copilot_own_salt {
    default "";${cacheSharing !== 'separate' ? '' : entries(keys.map(({ name, key }) => `${nameIn(name)} ${saltOf(key)};`))}
}
`
