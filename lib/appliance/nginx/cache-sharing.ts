/** Which keys share a prompt cache. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'

/** `one-key`: there is only one. `separate`: each key has its own cache. `shared`: all keys share one. */
export const cacheSharingSchema = z.enum(['one-key', 'separate', 'shared'])
export type CacheSharing = z.infer<typeof cacheSharingSchema>

/** The password counts as a key, and so does the fleet's: behind it are tenants of their own. */
export function cacheSharingOf({
  keys,
  sharedCache,
  fleetKey,
}: Pick<Context, 'keys' | 'sharedCache' | 'fleetKey'>): CacheSharing {
  if (keys.length === 0 && fleetKey === undefined) return 'one-key'
  return sharedCache ? 'shared' : 'separate'
}
