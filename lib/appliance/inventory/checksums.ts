/** Lists of digests as sha256sum(1) prints them. */

export type Checksum = { name: string; sha256: string }

/** Lines of another form are left out: sha256sum marks unusual names with a backslash, and ours has none. */
export const parseChecksums = (text: string): Checksum[] =>
  [...text.matchAll(/^([0-9a-f]{64}) [ *](.+)/gm)].map(([, sha256 = '', name = '']) => ({ name, sha256 }))
