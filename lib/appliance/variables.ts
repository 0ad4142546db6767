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

const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?'

export const variables = {
  password: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_PASSWORD',
    alias: 'ONEAPP_COPILOT_API_PASSWORD',
    stage: 'configure',
    value: z
      .string()
      .regex(/^[!-~]{12,128}$/)
      .regex(/^[^:"'`\\]*$/),
    fallback: undefined,
    byDefault: 'the one in force, else generated once',
    takes: '12 to 128 printable ASCII characters without space, colon, quote or backslash',
    example: '',
    help: "The API key (Bearer), and the password of user 'copilot' (Basic).",
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
