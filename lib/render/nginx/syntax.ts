/** nginx's syntax: patterns that match one text, entries of maps, and the indentation of blocks. */

/** A PCRE that matches exactly this text: what might mean something there or in nginx's syntax is escaped as \xHH. */
export const exactly = (text: string) =>
  text.replace(/[^A-Za-z0-9/_-]/g, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** A tenant's name as an entry of a map: some names are words of nginx's there, such as `default` and `include`. */
export const nameIn = (name: string) => `"~^${exactly(name)}\\z"`

/** The end of a header's value: white space (RFC 9110, 5.5), of which nginx strips spaces only over HTTP/1.1, and tabs never. */
export const headerEnd = '[ \\t]*\\z'

/** Entries of a map, each on a line of its own after the one before. */
export const entries = (lines: string[]) => lines.map(line => `\n    ${line}`).join('')

/** The content of a block, one level deeper. */
export const nested = (text: string) => text.replace(/^(?=.)/gm, '    ')
