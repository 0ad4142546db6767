/** Text for terminals of 80 columns. */

/** Text on one line, its white space collapsed. */
export const onOneLine = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** A text as one word of a POSIX shell (POSIX.1-2024, XCU 2.2.2). */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Text wrapped at white space into lines of at most `width` characters; longer words are split. At least one line. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  const part = new RegExp(`.{1,${width}}`, 'gs')
  for (const word of text
    .trim()
    .split(/\s+/)
    .flatMap(each => each.match(part) ?? '')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
