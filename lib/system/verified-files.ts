/** Files with a verified SHA-256, which remains valid while inode, size and modification time are unchanged. */
import type { Host } from './host.ts'
import { readState, type StateFile, writeState } from './state-files.ts'

type Proof = {
  sha256: string
  /** Bytes. */
  size: number
  inode: number
  /** Milliseconds since the epoch. */
  modified: number
}

/** Proofs by path. */
type Proofs = Record<string, Proof>

/** A file with its expected digest, and the state file that holds the proofs. */
export type Provable = { path: string; sha256: string; proofs: StateFile<Proofs> }

/** The file that a link points to: proofs are kept under its path. */
export const fileAt = ({ files }: Pick<Host, 'files'>, path: string): string => files.target(path) ?? path

const stateOf = ({ files }: Pick<Host, 'files'>, path: string): Omit<Proof, 'sha256'> | undefined => {
  const found = files.status(path)
  if (found === undefined || !found.isFile) return undefined
  return { size: found.size, inode: found.inode, modified: found.modifiedAt.getTime() }
}

/** The digest that the file was found to have, if it has not been changed since. */
export function knownDigest(host: Host, path: string, proofs: StateFile<Proofs>): string | undefined {
  const file = fileAt(host, path)
  const found = stateOf(host, file)
  const proof = readState(host, proofs)?.[file]
  const isUnchanged =
    found !== undefined &&
    proof?.size === found.size &&
    proof.inode === found.inode &&
    proof.modified === found.modified
  return isUnchanged ? proof.sha256 : undefined
}

/** Whether the file was verified to have this digest, and has not been changed since. */
export const isProven = (host: Host, { path, sha256, proofs }: Provable): boolean =>
  knownDigest(host, path, proofs) === sha256

/** Records that the file at `at`, which will be moved to `path`, has this digest. */
export function recordProof(host: Host, { path, sha256, proofs }: Provable, at: string): void {
  const found = stateOf(host, at)
  if (found === undefined) throw new Error(`${at} has disappeared`)
  writeState(host, proofs, { ...readState(host, proofs), [path]: { sha256, ...found } })
}

/** Removes a file and its proof; of a link, only the link. */
export function removeProven(host: Host, { path, proofs }: Omit<Provable, 'sha256'>): void {
  host.files.remove(path)
  const { [path]: gone, ...others } = readState(host, proofs) ?? {}
  if (gone !== undefined) writeState(host, proofs, others)
}
