/** Which keys share a prompt cache. */
import * as z from 'zod'
import type { Context } from '../context/context.ts'

/** `one-key`: whoever has it. `separate`: each key has its own. `shared`: all keys have one, as an administrator chose. */
export const cacheSharingSchema = z.enum(['one-key', 'separate', 'shared'])
export type CacheSharing = z.infer<typeof cacheSharingSchema>

/** The password is a key among them. */
export function cacheSharingOf({ keys, sharedCache }: Pick<Context, 'keys' | 'sharedCache'>): CacheSharing {
  if (keys.length === 0) return 'one-key'
  return sharedCache ? 'shared' : 'separate'
}
