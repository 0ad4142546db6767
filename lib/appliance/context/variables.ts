/** The context variables, one record each: parsing, the shim, the README, the wizard's inputs and help derive from it. */
import * as z from 'zod'
import { digits, hosts, key, label, type NamedKey, namedKeys, pem, yesOrNo } from './values.ts'

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
  /** Its value is never shown; where `input` is a password, that says so already. */
  isSecret?: true
  /** Sunstone's kind of input; what is entered as text64 arrives as Base64. */
  input: 'password' | 'text' | 'text64' | 'number'
}

const variable = <T>(record: Variable<T>) => record

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
      'NAME=KEY pairs, one per line or space; a name of up to 32 letters, digits, dots, dashes; a key as a password, without comma, semicolon, | or &',
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
    help: "Public name of the appliance: it gets a certificate from Let's Encrypt, unless one is given.",
    input: 'text',
  }),
  tlsCertificate: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_CERT',
    stage: 'configure',
    value: pem('certificate'),
    fallback: undefined,
    byDefault: "none: from Let's Encrypt for a domain, else from the VM's own CA",
    takes: 'certificates in PEM, or Base64 of that: the own first, then its issuers up to the root',
    example: '',
    help: 'A certificate of your own, with its chain.',
    input: 'text64',
  }),
  tlsKey: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_KEY',
    stage: 'configure',
    value: pem('private key'),
    fallback: undefined,
    byDefault: 'none',
    takes: 'a private key without passphrase in PEM, or Base64 of that',
    example: '',
    help: 'The private key of that certificate.',
    isSecret: true,
    input: 'text64',
  }),
  acmeEmail: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_EMAIL',
    stage: 'configure',
    value: z.email().max(254),
    fallback: undefined,
    byDefault: 'none: registered without one',
    takes: 'an e-mail address',
    example: 'admin@example.com',
    help: "Where Let's Encrypt may write to.",
    input: 'text',
  }),
  acmeUrl: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_ACME_URL',
    stage: 'configure',
    value: z
      .url({ protocol: /^https$/ })
      .max(1000)
      .regex(/^[^@?#\s]+$/),
    fallback: undefined,
    byDefault: "Let's Encrypt's",
    takes: 'the https URL of an ACME directory; no password or query in it, for it is no secret',
    example: 'https://acme.example.com/directory',
    help: "A private ACME server to ask in place of Let's Encrypt.",
    input: 'text',
  }),
  acmeCa: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_ACME_CA',
    stage: 'configure',
    value: pem('certificate'),
    fallback: undefined,
    byDefault: 'none: those that the system trusts',
    takes: 'certificates in PEM, or Base64 of that',
    example: '',
    help: "The CA of the private ACME server's own certificate.",
    input: 'text64',
  }),
  contextSize: variable<number | 'auto'>({
    name: 'ONEAPP_COPILOT_CONTEXT_SIZE',
    stage: 'configure',
    value: z.literal('auto').or(digits.pipe(z.int().min(512))),
    fallback: 32_768,
    byDefault: '32768',
    takes: "a whole number of tokens, 512 up to the model's limit, or auto: the most that the memory holds",
    example: '65536',
    help: 'Context window of each conversation, in tokens. Larger costs memory.',
    input: 'text',
  }),
  parallel: variable<number | 'auto'>({
    name: 'ONEAPP_COPILOT_PARALLEL',
    stage: 'configure',
    value: z.literal('auto').or(digits.pipe(z.int().min(1).max(64))),
    fallback: 'auto',
    byDefault: 'auto: up to 4, as the memory affords',
    takes: 'a whole number of conversations, 1 to 64, or auto',
    example: '2',
    help: 'Conversations at once, each with the whole context. More are told to come back.',
    input: 'text',
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
    help: 'The model to serve. One that is not in the image is fetched while the baked one serves.',
    input: 'text',
  }),
  modelMirror: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL_MIRROR',
    stage: 'configure',
    value: z
      .url({ protocol: /^https?$/ })
      .max(1000)
      .regex(/^[^@?#\s]+$/),
    fallback: undefined,
    byDefault: "none: each model's own address on huggingface.co",
    takes:
      "the http or https URL of a folder that holds the models' GGUF files under their usual names; no password or query in it, for it is no secret",
    example: 'https://mirror.example.com/models',
    help: 'Where to fetch a model from. Its SHA-256 is checked, whoever sends it.',
    input: 'text',
  }),
  ntpServers: variable<string[]>({
    name: 'ONEAPP_COPILOT_NTP_SERVERS',
    stage: 'configure',
    value: hosts,
    fallback: [],
    byDefault: "none: the hypervisor's clock, and what the network's DHCP server names",
    takes: 'names or IP addresses of up to 8 NTP servers, with commas or spaces between them',
    example: 'ntp1.example.com, 192.0.2.123',
    help: 'Where to take the time from. Nobody else is asked, and no public server unless it is named here.',
    input: 'text',
  }),
  keepPrompts: variable<boolean>({
    name: 'ONEAPP_COPILOT_KEEP_PROMPTS',
    stage: 'configure',
    value: yesOrNo,
    fallback: false,
    byDefault: 'NO: after a restart prompts are computed again',
    takes: 'YES or NO',
    example: 'YES',
    help: 'Write the conversations last served to disk, in the clear, before a stop: after it they go on at once.',
    input: 'text',
  }),
  sharedCache: variable<boolean>({
    name: 'ONEAPP_COPILOT_SHARED_CACHE',
    stage: 'configure',
    value: yesOrNo,
    fallback: false,
    byDefault: 'NO: the cached prompts of each key are for that key alone',
    takes: 'YES or NO',
    example: 'YES',
    help: "Reuse cached prompts across keys: faster, but a key's owner can find out whether others have sent a known text.",
    input: 'text',
  }),
}

/** The records in the order in which tables show them. */
export const variableList: Variable[] = Object.values(variables) as Variable[]

/** Every name that a variable goes by. */
export const variableNames: string[] = variableList.flatMap(({ name, alias }) =>
  alias === undefined ? [name] : [name, alias],
)
