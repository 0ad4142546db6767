/** Sanitises text from outside for logs, files and terminals: control characters are removed. */
import { stripVTControlCharacters } from 'node:util'

/**
 * Device control strings as ECMA-48, 5.6 has them (DCS, SOS, OSC, PM, APC) with all that they hold, by their 7-bit and
 * 8-bit introducers: up to their terminator, the end of the line where that is missing.
 */
const controlStrings =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?/g

/**
 * C0 but tab and newline, DEL and C1 (ECMA-48); what reorders text (Unicode UAX #9, 2) or hides in it: zero-width and
 * invisible operators, byte order marks, interlinear annotations, tags.
 */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu

/** The text without control characters; carriage returns, and separators of lines and paragraphs, are newlines. */
export const plain = (text: string): string =>
  stripVTControlCharacters(text.replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n').replace(controlStrings, ''))
    .replace(invisible, '')
    .toWellFormed()

/** Standard output, for what a command shows. */
export const print = (screen: string): void => void process.stdout.write(plain(screen))

/** Standard error. */
export const printError = (message: string): void => void process.stderr.write(`${plain(message)}\n`)
