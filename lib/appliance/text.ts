/** Text for terminals of 80 columns. */

/** Text broken at spaces into lines of at most `width` characters; a longer word is broken wherever that is. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ').flatMap(part => part.match(new RegExp(`.{1,${width}}`, 'gs')) ?? '')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
