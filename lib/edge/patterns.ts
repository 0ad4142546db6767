/** Questions about a text that may be asked thousands of times in a request. Run inside nginx. */

/**
 * njs keeps 4 kB for each call of `test` until the request has ended, and more for each match of `exec` and `replace`:
 * gigabytes for a request of a megabyte. For `search` it keeps nothing.
 */
export const matches = (text: string, pattern: RegExp): boolean => text.search(pattern) !== -1

const backslash = 92

/** Whether what follows a text is escaped: it ends with an odd number of backslashes. */
export function endsEscaped(text: string): boolean {
  let start = text.length
  while (text.charCodeAt(start - 1) === backslash) start--
  return (text.length - start) % 2 === 1
}
