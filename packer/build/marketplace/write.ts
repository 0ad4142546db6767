/** Writes the marketplace's files, and renders the logo. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { folders, type MarketplaceFile } from './files.ts'
import { listing } from './listing.ts'

const drawing = resolve(import.meta.dirname, '..', '..', 'marketplace', 'logo.svg')

/** Bytes of a PNG of 300 × 300 pixels, which the marketplace scales down. */
const renderLogo = (): Buffer => execFileSync('rsvg-convert', ['--width=300', '--height=300', drawing])

/** Writes everything into a new folder, which then takes the place of `folder`. */
export function writeFiles(folder: string, files: MarketplaceFile[]): void {
  const partial = `${folder}.new`
  rmSync(partial, { recursive: true, force: true })
  const picture = { path: `${folders.logos}/${listing.logo}`, text: renderLogo(), mode: 0o644 }
  for (const { path, text, mode } of [...files, picture]) {
    mkdirSync(dirname(join(partial, path)), { recursive: true })
    writeFileSync(join(partial, path), text, { mode: mode ?? 0o644 })
  }
  rmSync(folder, { recursive: true, force: true })
  renameSync(partial, folder)
}
