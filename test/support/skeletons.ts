/** What a text means to the program that reads it, without the values in it: a value that injects something changes it. */

/** Directives, braces and semicolons of an nginx configuration; entries of a map count, whatever they are. */
export function nginxSkeleton(text: string): string {
  const token = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|#[^\n]*|[{};]|[^\s{};"']+/g
  const shape: string[] = []
  let statement: string[] = []
  let isMap = false
  for (const [word] of text.matchAll(token)) {
    if (word.startsWith('#')) continue
    if (!/^[{};]$/.test(word)) {
      statement.push(word)
      continue
    }
    shape.push(`${isMap ? 'entry' : (statement[0] ?? '')}/${statement.length}${word}`)
    isMap = word === '{' ? statement[0] === 'map' : isMap && word !== '}'
    statement = []
  }
  return shape.join('\n')
}

/** Sections and names of a unit or an environment file, and the first word of any other line. */
export const lineSkeleton = (text: string) =>
  text
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => /^(\[[^\]]*\]|[A-Za-z_]+=?|[^\s=]*)/.exec(line)?.[0] ?? '')
    .join('\n')

/** A shell script outside of its single-quoted words, of which there may be any number in a row. */
export const shellSkeleton = (text: string) => text.replaceAll(/(\s*('[^']*'|\\')+( \\\n)?)+/g, " 'text'\n")

/** The tags of a page, with the names of their attributes. */
export const htmlSkeleton = (text: string) =>
  [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replaceAll(/"[^"]*"/g, '""')).join('\n')
