/** The blocks of commands in the documents, each with the test that runs it, or the reason why none does. */
import { relative, resolve } from 'node:path'
import { documents, textOf } from './documents.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

export type CommandBlock = {
  document: string
  /** The line of its first command. */
  line: number
  text: string
  /** From the comment before it, `<!-- run by: FILE -->` or `<!-- not run: REASON -->`. */
  runBy?: string
  reason?: string
}

const fence =
  /(?:<!-- (?<kind>run by|not run): (?<remark>[^>]+) -->\n)?(?<indent> *)```(?:sh|bash|console)\n(?<text>.*?)^ *```$/gms

/** All blocks of a document, without their indentation. */
export function blocksOf(document: string, markdown: string): CommandBlock[] {
  return [...markdown.matchAll(fence)].map(({ index, 0: whole, groups = {} }) => {
    const { kind, remark, indent = '', text = '' } = groups
    const before = markdown.slice(0, index + whole.indexOf('```'))
    return {
      document,
      line: before.split('\n').length + 1,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      ...(kind === 'run by' && { runBy: remark }),
      ...(kind === 'not run' && { reason: remark }),
    }
  })
}

export const commandBlocks = (): CommandBlock[] => documents.flatMap(name => blocksOf(name, textOf(name)))

/** The blocks that a test file has to run, named by `import.meta.filename`. */
export const blocksRunBy = (file: string): CommandBlock[] =>
  commandBlocks().filter(({ runBy }) => runBy === relative(checkout, file))
