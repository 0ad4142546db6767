/** The form of what a developer pastes: a client's name, and parts, each with its place. */
import { shellQuoted, wrapped } from '../../appliance/text.ts'

export type ClientValues = {
  /** A name or address of the appliance, with a port where it is not 443. */
  endpoint: string
  model: string
  /** Tokens of a conversation. */
  contextSize: number
  /** Shown in place of the key where it is not to be shown. */
  key: string
  /** Where the developer keeps the appliance's CA; undefined with a public certificate. */
  caFile: string | undefined
}

export type Part = {
  /** A file under the home folder (`~/…`), the shell, a program, or fields of a form: where the text goes. */
  place: string
  text: string
}

export type ClientConfiguration = {
  /** As on the command line: `slm-copilot clients NAME`. */
  name: string
  title: string
  /** What to know on a CPU, in a sentence or two. */
  note?: string
  parts: Part[]
}

/** Where a client reads environment variables from. */
export const shell = 'the shell that starts it, or ~/.profile'

/** The place of a program's text. */
export const program = 'a program'

/**
 * How long a client is to wait in silence, in three units: as long as any of them accepts. A prompt of a whole window
 * takes that long on a few cores.
 */
export const clientTimeout = { minutes: 30, milliseconds: 1_800_000, seconds: 1800 }

/** Tokens of an answer to set aside in the window: a quarter, and no more than an edit needs. */
export const answerSize = ({ contextSize }: ClientValues) => Math.min(8192, Math.floor(contextSize / 4))

/** A POSIX shell's single quotes, where a value needs them. */
const quoted = (value: string) => (/^[A-Za-z0-9_.,:/@%+=-]+$/.test(value) ? value : shellQuoted(value))

/** Lines for the shell; a variable without a value is left out. */
export const exports = (variables: Record<string, string | number | undefined>): Part => ({
  place: shell,
  text: Object.entries(variables)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `export ${name}=${quoted(String(value))}\n`)
    .join(''),
})

export const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** A configuration as it is printed: within 80 columns as far as the values allow, ready to be pasted. */
export const configurationText = ({ title, note, parts }: ClientConfiguration): string =>
  [
    `[${title}]\n${note === undefined ? '' : `${wrapped(note, 78).join('\n')}\n`}`,
    ...parts.map(({ place, text }) => `# In ${place}:\n${text}`),
  ].join('\n')
