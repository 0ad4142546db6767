/** Copies of this checkout, as a clone would have them, uncommitted changes included. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

const checkout = resolve(import.meta.dirname, '..', '..')

/** Copies what Git would put into a clone, into a new folder, and links the npm packages. */
export function copyCheckout(folder: string): void {
  mkdirSync(folder, { recursive: true })
  const copy = `set -euo pipefail; git ls-files --cached --others --exclude-standard --deduplicate -z |
  tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$1"`
  execFileSync('bash', ['-c', copy, 'bash', folder], { cwd: checkout })
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
}
