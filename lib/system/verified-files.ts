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

const stateOf = ({ files }: Pick<Host, 'files'>, path: string): Omit<Proof, 'sha256'> | undefined => {
  const found = files.status(path)
  if (found === undefined || !found.isFile) return undefined
  return { size: found.size, inode: found.inode, modified: found.modifiedAt.getTime() }
}

/** Whether the file was verified to have this digest, and has not been changed since. */
export function isProven(host: Host, { path, sha256, proofs }: Provable): boolean {
  const found = stateOf(host, path)
  const proof = readState(host, proofs)?.[path]
  return (
    found !== undefined &&
    proof?.sha256 === sha256 &&
    proof.size === found.size &&
    proof.inode === found.inode &&
    proof.modified === found.modified
  )
}

/** Records that the file at `at`, which will be moved to `path`, has this digest. */
export function recordProof(host: Host, { path, sha256, proofs }: Provable, at: string): void {
  const found = stateOf(host, at)
  if (found === undefined) throw new Error(`${at} has disappeared`)
  writeState(host, proofs, { ...readState(host, proofs), [path]: { sha256, ...found } })
}

/** Removes a file and its proof. */
export function removeProven(host: Host, { path, proofs }: Omit<Provable, 'sha256'>): void {
  host.files.remove(path)
  const { [path]: gone, ...others } = readState(host, proofs) ?? {}
  if (gone !== undefined) writeState(host, proofs, others)
}
