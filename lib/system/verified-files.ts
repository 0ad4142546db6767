/** Files with a verified SHA-256, which counts as long as inode, size and modification time stay the same. */
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

/** Path → its proof. */
type Proofs = Record<string, Proof>

/** A file as it should be, and where the proofs stand. */
export type Provable = { path: string; sha256: string; proofs: StateFile<Proofs> }

const stateOf = ({ files }: Pick<Host, 'files'>, path: string): Omit<Proof, 'sha256'> | undefined => {
  const found = files.status(path)
  if (found === undefined || !found.isFile) return undefined
  return { size: found.size, inode: found.inode, modified: found.modifiedAt.getTime() }
}

/** Whether the file at its name was proven to be this one, and has not been touched since. */
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

/** Remembers that the file at `at`, which is to stand at its path, has its digest. */
export function recordProof(host: Host, { path, sha256, proofs }: Provable, at: string): void {
  const found = stateOf(host, at)
  if (found === undefined) throw new Error(`${at} has disappeared`)
  writeState(host, proofs, { ...readState(host, proofs), [path]: { sha256, ...found } })
}

/** Removes a file, and what proves it. */
export function removeProven(host: Host, { path, proofs }: Omit<Provable, 'sha256'>): void {
  host.files.remove(path)
  const { [path]: gone, ...others } = readState(host, proofs) ?? {}
  if (gone !== undefined) writeState(host, proofs, others)
}
