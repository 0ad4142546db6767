/** The documents of this repository: every Markdown file, wherever it is. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const checkout = resolve(import.meta.dirname, '..', '..')
const others = ['node_modules', 'dist', '.git']

/** Their paths in the checkout. */
export const documents: string[] = globSync(['**/*.md', '.github/**/*.md'], {
  cwd: checkout,
  exclude: path => others.includes(path),
}).sort()

export const textOf = (name: string): string => readFileSync(join(checkout, name), 'utf8')
