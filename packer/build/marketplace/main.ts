/** `make marketplace`: writes dist/marketplace in the layout of OpenNebula/marketplace-community. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { wrapped } from '../../../lib/appliance/text.ts'
import { executable } from '../executable.ts'
import { names } from '../image/export.ts'
import { readManifest } from '../image/manifest.ts'
import { script } from '../progress.ts'
import { factsOf } from './facts.ts'
import { marketplaceFiles } from './files.ts'
import { instructionOf, type Placeholder, parseUploads } from './placeholders.ts'
import { writeFiles } from './write.ts'

const checkout = resolve(import.meta.dirname, '..', '..', '..')

const digestOf = (path: string) =>
  existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : undefined

const listed = (name: Placeholder) => `  ${wrapped(`${name}: ${instructionOf(name)}`, 76).join('\n    ')}`

/** Writes the files; throws if a placeholder would be left in them, unless they are a draft. */
if (import.meta.main)
  await script(async () => {
    const { draft } = parseArgs({ options: { draft: { type: 'boolean', default: false } } }).values
    const manifest = readManifest(join(checkout, 'dist', 'image', names.manifest))
    const facts = factsOf(manifest, digestOf(executable), parseUploads(process.env))
    const { files, left } = marketplaceFiles(facts, path => readFileSync(join(checkout, path), 'utf8'))
    const list = left.map(listed).join('\n')
    if (left.length > 0 && !draft)
      throw new Error(
        `make marketplace: nothing was written, because values are unknown:\n${list}\nDRAFT=1 writes placeholders for them.`,
      )
    const folder = join(checkout, 'dist', 'marketplace')
    writeFiles(folder, files)
    console.log(`${folder}: ${files.length + 1} files; SUBMITTING.md says what to do next`)
    if (left.length > 0) console.log(`A draft, with placeholders for:\n${list}`)
  })
