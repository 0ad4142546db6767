/** The context variables, one record each: parsing, the shim, the README, the wizard's inputs and help derive from it. */
import * as z from 'zod'

export type Variable<T = unknown> = {
  name: string
  /** The four-part name that Sunstone groups in its wizard, where it differs. */
  alias?: string
  stage: 'configure'
  /** From the text as given to the value; the rule it breaks is told by `takes`. */
  value: z.ZodType<T, string>
  fallback: T
  /** The default, in words. */
  byDefault: string
  /** The rule, in words that follow "takes". */
  takes: string
  example: string
  help: string
  input: 'password' | 'text' | 'number'
}

const variable = <T>(record: Variable<T>) => record

const digits = z
  .string()
  .regex(/^[0-9]{1,9}$/)
  .transform(Number)

const key = z
  .string()
  .regex(/^[!-~]{12,128}$/)
  .regex(/^[^:"'`\\]*$/)

/** A key, and the name under which the log knows it. */
export type NamedKey = { name: string; key: string }

/** The name of the password's own user. */
export const passwordName = 'copilot'

/** `name=key` pairs; what is wrong with them is told by name, and no key is shown. */
const namedKeys = z.string().transform((text, check): NamedKey[] => {
  const tell = (message: string) => check.addIssue({ code: 'custom', message })
  const pairs = text.split(/\s+/).filter(Boolean)
  const named = pairs
    .map(pair => pair.split(/=(.*)/s))
    .map(([name = '', value = '']) => ({ name, key: value }))
  for (const [index, { name, key: value }] of named.entries()) {
    const before = named.slice(0, index)
    const twin = before.find(other => other.key === value)
    if (!/^[A-Za-z0-9._-]{1,32}$/.test(name)) tell(`the name of key ${index + 1}`)
    else if (name === passwordName) tell(`the name ${name}, which is the password's`)
    else if (before.some(other => other.name === name)) tell(`${name} twice`)
    else if (!key.safeParse(value).success) tell(`the key of ${name}`)
    else if (twin !== undefined) tell(`the same key for ${twin.name} and ${name}`)
  }
  return named
})

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'

export const variables = {
  password: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_PASSWORD',
    alias: 'ONEAPP_COPILOT_API_PASSWORD',
    stage: 'configure',
    value: key,
    fallback: undefined,
    byDefault: 'the one in force, else generated once',
    takes: '12 to 128 printable ASCII characters without space, colon, quote or backslash',
    example: '',
    help: "The API key (Bearer), and the password of user 'copilot' (Basic).",
    input: 'password',
  }),
  keys: variable<NamedKey[]>({
    name: 'ONEAPP_COPILOT_KEYS',
    alias: 'ONEAPP_COPILOT_API_KEYS',
    stage: 'configure',
    value: namedKeys,
    fallback: [],
    byDefault: 'none',
    takes:
      'NAME=KEY pairs, one per line or space; a name of up to 32 letters, digits, dots, dashes; a key as a password',
    example: '',
    help: 'Further keys, one for each developer. The log carries the name.',
    input: 'password',
  }),
  domain: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_DOMAIN',
    alias: 'ONEAPP_COPILOT_TLS_DOMAIN',
    stage: 'configure',
    value: z
      .string()
      .max(253)
      .toLowerCase()
      .regex(new RegExp(`^(${label}\\.)+(?=.*[a-z])${label}$`)),
    fallback: undefined,
    byDefault: "none: the VM's own names and addresses",
    takes: 'a fully qualified domain name',
    example: 'copilot.example.com',
    help: 'Public name of the appliance; part of its certificate.',
    input: 'text',
  }),
  contextSize: variable<number>({
    name: 'ONEAPP_COPILOT_CONTEXT_SIZE',
    stage: 'configure',
    value: digits.pipe(z.int().min(512)),
    fallback: 32_768,
    byDefault: '32768',
    takes: "a whole number of tokens, 512 up to the model's limit",
    example: '65536',
    help: 'Context window of each conversation, in tokens. Larger costs memory.',
    input: 'number',
  }),
  threads: variable<number>({
    name: 'ONEAPP_COPILOT_THREADS',
    alias: 'ONEAPP_COPILOT_CPU_THREADS',
    stage: 'configure',
    value: digits,
    fallback: 0,
    byDefault: '0: one for each physical core',
    takes: 'a whole number of threads, 0 or more',
    example: '8',
    help: 'Threads of inference.',
    input: 'number',
  }),
  model: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL',
    alias: 'ONEAPP_COPILOT_AI_MODEL',
    stage: 'configure',
    value: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
    fallback: undefined,
    byDefault: 'the one baked into the image',
    takes: 'the name of a model in the catalogue',
    example: 'devstral-small-2',
    help: 'The model to serve.',
    input: 'text',
  }),
}

/** The records in the order in which tables show them. */
export const variableList: Variable[] = Object.values(variables) as Variable[]
