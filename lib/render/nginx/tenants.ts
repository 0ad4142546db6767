/** Whose cache a request may use: the part of nginx's site that keeps tenants apart. */
import { createHmac } from 'node:crypto'
import type { NamedKey } from '../../appliance/context/values.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 52 ^ 12 is more than 2 ^ 68. */
const saltLength = 12

/** A tenant's salt, from nothing but its key: the same after every restart, known to nobody who does not have the key. */
export function saltOf(key: string): string {
  let number = BigInt(`0x${createHmac('sha256', key).update('slm-copilot: prompt cache').digest('hex')}`)
  let salt = ''
  while (salt.length < saltLength) {
    salt += letters.charAt(Number(number % 52n))
    number /= 52n
  }
  return salt
}

/** The variable with the salt of who asks; empty where one cache is for all. */
export const tenantMap = (keys: NamedKey[], cacheSharing: CacheSharing) => `\
# In the first tokens of every prompt: what is cached for one key is found by that key alone.
map $copilot_user $copilot_tenant_salt {
    default "";
${cacheSharing !== 'separate' ? '' : keys.map(({ name, key }) => `    ${name} ${saltOf(key)};\n`).join('')}}
`
