/** The image as packer/README.md makes it by hand: its commands as they stand, with the settings of a small VM. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { shellQuoted } from '../../lib/appliance/text.ts'
import { runLogged } from '../../packer/build/progress.ts'
import type { CommandBlock } from '../support/command-blocks.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

/** All blocks as one script. After the first one, `settings` replace what it has set; the script ends with 1 if it has not. */
export function scriptOf([first, ...steps]: CommandBlock[], settings: Record<string, string>): string {
  const replaced = Object.entries(settings).flatMap(([name, value]) => [
    `: "\${${name}:?is not among the settings}"`,
    `${name}=${shellQuoted(value)}`,
  ])
  const titled = steps.map(({ document, line, text }) => `echo '==> ${document}:${line}'\n${text}`)
  return ['set -euo pipefail', first?.text ?? '', ...replaced, ...titled].join('\n')
}

/** Runs the script in the checkout; if it fails, its VM is stopped. `work`: the setting WORK. */
export async function runByHand(script: string, work: string): Promise<void> {
  const pidFile = join(work, 'qemu.pid')
  try {
    await runLogged('by-hand', ['bash', '-c', script], { cwd: checkout, show: /^==>/ })
  } finally {
    if (existsSync(pidFile)) process.kill(Number(readFileSync(pidFile, 'utf8')))
  }
}
