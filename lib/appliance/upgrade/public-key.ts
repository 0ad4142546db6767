/** minisign's public keys, by which releases are verified. */

const key = 'RW[A-Za-z0-9+/]{54}'

export const isPublicKey = new RegExp(`^${key}$`)

/** The key in the text of a file that minisign wrote; undefined if there is none. */
export const publicKeyIn = (text: string): string | undefined => new RegExp(`^${key}$`, 'm').exec(text)?.[0]
