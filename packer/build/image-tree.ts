/** Compares the files of two images: `node packer/build/image-tree.ts A.qcow2 B.qcow2`. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { asRoot } from './as-root.ts'

/** Path → type, mode, owner, and link target or SHA-256. Modification times are not compared. */
type Tree = Map<string, string>

/** Paths that differ between two bakes from the same inputs, and why. */
const justified: readonly [RegExp, string][] = [
  [/^\/opt\/slm-copilot\/verified\.json$/, 'inodes and modification times of the verified files'],
  [/^\/var\/cache\/ldconfig\/aux-cache$/, 'inodes and change times of the libraries'],
  [/^\/etc\/(shadow|gshadow)-?$/, 'the day on which an account was created'],
]

/** Parses the output of list-image.sh. */
export function parseTree(listing: string): Tree {
  const [entries = '', digests = ''] = listing.split('\0\0')
  const tree: Tree = new Map()
  for (const entry of entries.split('\0')) {
    const [about = '', path] = splitAt(entry, entry.indexOf('\t'))
    if (path !== undefined) tree.set(path, about.trim())
  }
  for (const line of digests.split('\0')) {
    // `DIGEST  ./PATH`
    const path = line.slice(64 + 3)
    const about = tree.get(path)
    if (about !== undefined) tree.set(path, `${about} ${line.slice(0, 64)}`)
  }
  return tree
}

const splitAt = (text: string, index: number): [string, string?] =>
  index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)]

type Difference = {
  path: string
  before: string | undefined
  after: string | undefined
  reason: string | undefined
}

/** What differs, sorted by path, each with its justification if there is one. */
export function compareTrees(before: Tree, after: Tree): Difference[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths
    .filter(path => before.get(path) !== after.get(path))
    .map(path => ({
      path,
      before: before.get(path),
      after: after.get(path),
      reason: justified.find(([pattern]) => pattern.test(path))?.[1],
    }))
}

/** The files of an image's first partition. */
export function treeOf(disk: string): Tree {
  const [program = '', ...args] = asRoot([join(import.meta.dirname, 'list-image.sh'), disk])
  return parseTree(execFileSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 }))
}

const line = ({ path, before, after, reason }: Difference) => {
  const what =
    before === undefined ? 'only in the second' : after === undefined ? 'only in the first' : 'differs'
  return reason === undefined
    ? `${path}: ${what}\n    ${before ?? '-'}\n    ${after ?? '-'}`
    : `${path}: ${what} (${reason})`
}

/** What differs between two images, and whether all of it is justified. */
export function reportOn(before: Tree, after: Tree): { text: string; isExplained: boolean } {
  const found = compareTrees(before, after)
  const unexplained = found.filter(({ reason }) => reason === undefined).length
  const sum = `${before.size} files, ${found.length} differ, ${unexplained} of them without a reason.`
  return { text: [...found.map(line), sum].join('\n'), isExplained: unexplained === 0 }
}

if (import.meta.main) {
  const [a, b] = process.argv.slice(2)
  if (a === undefined || b === undefined)
    throw new Error('usage: node packer/build/image-tree.ts A.qcow2 B.qcow2')
  const { text, isExplained } = reportOn(treeOf(a), treeOf(b))
  console.log(text)
  process.exitCode = isExplained ? 0 : 1
}
