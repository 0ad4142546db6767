/** The record of the commit for which the whole suite has passed: `make test` writes it, `make release` reads it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { commitOf } from '../git.ts'

const pathIn = (checkout: string, name: 'testing' | 'tested') => join(checkout, 'dist', name)
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined)

/** Whether the suite has passed for this commit. */
export const isTested = (checkout: string, commit: string): boolean =>
  read(pathIn(checkout, 'tested')) === commit

/** Notes what the tests are about to see. */
export function beginTests(checkout: string): void {
  const testing = pathIn(checkout, 'testing')
  mkdirSync(dirname(testing), { recursive: true })
  writeFileSync(testing, `${commitOf(checkout)}\n`)
}

/** Called after they have passed: records the commit, unless files differed from it before or differ now. */
export function recordTests(checkout: string): void {
  const before = read(pathIn(checkout, 'testing'))
  rmSync(pathIn(checkout, 'testing'), { force: true })
  const isWhole = before !== undefined && /^[0-9a-f]+$/.test(before) && before === commitOf(checkout)
  if (isWhole) writeFileSync(pathIn(checkout, 'tested'), `${before}\n`)
}

if (import.meta.main) {
  const act = { begin: beginTests, record: recordTests }[process.argv[2] ?? '']
  if (act === undefined) throw new Error('usage: tested.ts begin | record')
  act(resolve(import.meta.dirname, '..', '..', '..'))
}
