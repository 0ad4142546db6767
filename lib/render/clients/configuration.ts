/** The form of a client's configuration: snippets to paste, each with the place where it goes. */
import { shellQuoted, wrapped } from '../../appliance/text.ts'

export type ClientValues = {
  /** A name or address of the appliance, with a port where it is not 443. */
  endpoint: string
  model: string
  /** Tokens of a conversation. */
  contextSize: number
  /** The key, or a placeholder where it must not be shown. */
  key: string
  /** Where the developer keeps the appliance's CA; undefined with a public certificate. */
  caFile: string | undefined
}

export type Snippet = {
  /** A file under the home folder (`~/…`), the shell, a program, or fields of a form: where the text goes. */
  place: string
  text: string
}

export type ClientConfiguration = {
  /** As on the command line: `slm-copilot clients NAME`. */
  name: string
  title: string
  /** Advice for inference on CPUs, in a sentence or two. */
  note?: string
  snippets: Snippet[]
}

/** Where a client reads environment variables from. */
export const shell = 'the shell that starts it, or ~/.profile'

/** The place of a program's text. */
export const program = 'a program'

/**
 * How long clients wait for a byte: as long as all of them can be configured to. The prompt of a whole context window
 * takes that long on a few cores.
 */
export const clientTimeout = { minutes: 30, milliseconds: 1_800_000, seconds: 1800 }

/** Tokens of the context window that are reserved for the answer: a quarter, and no more than an edit needs. */
export const maxAnswerTokens = ({ contextSize }: ClientValues) => Math.min(8192, Math.floor(contextSize / 4))

/** A POSIX shell's single quotes, where a value needs them. */
const quoted = (value: string) => (/^[A-Za-z0-9_.,:/@%+=-]+$/.test(value) ? value : shellQuoted(value))

/** `export` lines for the shell; variables without a value are omitted. */
export const shellExports = (variables: Record<string, string | number | undefined>): Snippet => ({
  place: shell,
  text: Object.entries(variables)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `export ${name}=${quoted(String(value))}\n`)
    .join(''),
})

export const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`

/** A configuration as it is printed: within 80 columns as far as the values allow, ready to be pasted. */
export const configurationText = ({ title, note, snippets }: ClientConfiguration): string =>
  [
    `[${title}]\n${note === undefined ? '' : `${wrapped(note, 78).join('\n')}\n`}`,
    ...snippets.map(({ place, text }) => `# In ${place}:\n${text}`),
  ].join('\n')
