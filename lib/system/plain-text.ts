/** Sanitises untrusted text for logs, files and terminals by removing control characters. */
import { stripVTControlCharacters } from 'node:util'

/**
 * Control strings (ECMA-48, 5.6: DCS, SOS, OSC, PM, APC) including their content, with 7-bit or 8-bit
 * introducers, up to the terminator, or to the end of the line if that is missing.
 */
const controlStrings =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?/g

/**
 * C0 except tab and newline, DEL and C1 (ECMA-48); characters that reorder text (Unicode UAX #9, 2) or are
 * invisible: zero-width characters, invisible operators, byte order marks, interlinear annotations, tags.
 */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** Removes control characters; carriage returns, line and paragraph separators become newlines. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(controlStrings, ''))
    .replace(invisible, '')
    .toWellFormed()

/** Prints a command's output to standard output. */
export const print = (screen: string): void => void process.stdout.write(plain(screen))

/** Prints a message to standard error. */
export const printError = (message: string): void => void process.stderr.write(`${plain(message)}\n`)
