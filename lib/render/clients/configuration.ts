/** The shape of a client's configuration: snippets to paste, each with the place where it goes. */
import { shellQuoted, wrapped } from '../../appliance/text.ts'

export type ClientValues = {
  /** A name or address of the appliance, with the port unless that is 443. */
  endpoint: string
  model: string
  /** Maximum tokens of a conversation. */
  contextSize: number
  /** Tokens that the model's thoughts may take of an answer; 0 if it does not think. */
  thoughts: number
  /** The key, or a placeholder if it must not be shown. */
  key: string
  /** The models of the services beside chat, and the prefix of a query that is embedded. */
  companions: {
    completion?: string | undefined
    embeddings?: { name: string; queryPrefix: string } | undefined
    reranking?: string | undefined
  }
  /** Where the developer keeps the appliance's CA; undefined with a public certificate. */
  caFile: string | undefined
}

export type Snippet = {
  /** Where the text goes: a file in the home folder (`~/…`), the shell, a program, or the fields of a form. */
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

/** The place for environment variables. */
export const shell = 'the shell that starts it, or ~/.profile'

/** The place for source code. */
export const program = 'a program'

/**
 * How long clients wait for the next byte: the longest time that all of them support. Processing a prompt
 * that fills the context window takes that long on a few cores.
 */
export const clientTimeout = { minutes: 30, milliseconds: 1_800_000, seconds: 1800 }

/** Tokens that thoughts may take of an answer where nothing limits them. */
export const usualThoughts = 8192

/**
 * Tokens of the context window reserved for the answer: a quarter, but no more than an edit needs; and for the thoughts
 * before it, which count as part of it, at most another quarter.
 */
export const maxAnswerTokens = ({ contextSize, thoughts }: ClientValues) => {
  const quarter = Math.floor(contextSize / 4)
  return Math.min(8192, quarter) + Math.min(thoughts, quarter)
}

/** In POSIX single quotes, if the value needs them. */
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

/** A configuration as printed: ready to paste, and within 80 columns as far as the values allow. */
export const configurationText = ({ title, note, snippets }: ClientConfiguration): string =>
  [
    `[${title}]\n${note === undefined ? '' : `${wrapped(note, 78).join('\n')}\n`}`,
    ...snippets.map(({ place, text }) => `# In ${place}:\n${text}`),
  ].join('\n')
