/** The context variables, one record each: parsing, shim, documents, marketplace inputs and help use them. */
import * as z from 'zod'
import { stateSerial } from '../disks/disks.ts'
import { type Backend, backends, type Role, roles } from '../fleet/backends.ts'
import { catalogue } from '../models/catalogue.ts'
import { type CompanionModel, companionCatalogue } from '../models/companions.ts'
import type { ThinkingRequest } from '../models/thinking.ts'
import type { CompanionKind } from '../requests/services.ts'
import { defaultDrainLimit, longestDrain } from '../services/drain.ts'
import { mostParallel, shortestContext, usefulContext } from '../sizing/limits.ts'
import { type LogFormat, logFormats } from '../usage/log-format.ts'
import { shortestKey } from './masking.ts'
import {
  digits,
  floatingAddresses,
  hosts,
  key,
  label,
  longestKey,
  modelFileUrl,
  type NamedKey,
  namedKeys,
  pem,
  type SyslogReceiver,
  syslogReceiver,
  yesOrNo,
} from './values.ts'

export type Variable<T = unknown> = {
  name: string
  /** The four-part name by which Sunstone's wizard groups inputs, if it differs. */
  alias?: string
  stage: 'configure'
  /** Parses the text as given; `takes` describes the rule in messages. */
  value: z.ZodType<T, string>
  fallback: T
  /** The default, in words. */
  byDefault: string
  /** The rule, worded to follow "takes". */
  takes: string
  example: string
  help: string
  /** Its value is never shown; implied if `input` is a password. */
  isSecret?: true
  /** Sunstone's input type; a text64 arrives as Base64, a boolean as YES or NO. */
  input: 'password' | 'text' | 'text64' | 'number' | 'boolean' | 'list'
  /** What a list offers. */
  options?: readonly string[]
}

/** Whether there is a model of this name is judged with the release at hand, whose names the problem then lists. */
const modelName = z.string()

/** What `key` accepts. */
const keyRule = `${shortestKey} to ${longestKey} printable ASCII characters, without spaces, colons, quotes or backslashes`

const companionsOf = (kind: CompanionKind) =>
  Object.values<CompanionModel>(companionCatalogue)
    .filter(model => model.kind === kind)
    .map(({ name }) => name)

/** What YES means for search. */
const searchDefaults = [companionsOf('embeddings')[0], companionsOf('reranking')[0]] as string[]

const variable = <T>(record: Variable<T>) => record

export const variables = {
  password: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_PASSWORD',
    alias: 'ONEAPP_COPILOT_API_PASSWORD',
    stage: 'configure',
    value: key,
    fallback: undefined,
    byDefault: 'the existing one; a random one at first boot',
    takes: keyRule,
    example: '',
    help: "The API key (Bearer), which is also the password of user 'copilot' (Basic).",
    input: 'password',
  }),
  keys: variable<NamedKey[]>({
    name: 'ONEAPP_COPILOT_KEYS',
    alias: 'ONEAPP_COPILOT_API_KEYS',
    stage: 'configure',
    value: namedKeys,
    fallback: [],
    byDefault: 'none',
    takes: `NAME=KEY or NAME=KEY:LIMIT, separated by newlines or spaces; NAME: up to 32 letters, digits, dots, underscores or dashes; KEY: ${keyRule}, and without commas, semicolons, | or &; LIMIT: from 1 to ${mostParallel}`,
    example: '',
    help: 'Additional API keys, one for each developer, each with an optional limit on the slots that it may take at once. The request log shows the name, never the key.',
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
    byDefault: "none: the certificate is for the VM's host name and addresses",
    takes: 'a fully qualified domain name',
    example: 'copilot.example.com',
    help: "The appliance's public DNS name. Let's Encrypt issues a certificate for it, unless you supply your own.",
    input: 'text',
  }),
  tlsCertificate: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_CERT',
    stage: 'configure',
    value: pem('certificate'),
    fallback: undefined,
    byDefault: "none: Let's Encrypt's if a domain is set, otherwise one signed by the VM's own CA",
    takes:
      'a PEM certificate chain, or its Base64 encoding: the server certificate first, then its issuers up to the root',
    example: '',
    help: 'Your own server certificate, with its chain.',
    input: 'text64',
  }),
  tlsKey: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_KEY',
    stage: 'configure',
    value: pem('private key'),
    fallback: undefined,
    byDefault: 'none',
    takes: 'a PEM private key without a passphrase, or its Base64 encoding',
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
    byDefault: 'none: the ACME account has no contact address',
    takes: 'an e-mail address',
    example: 'admin@example.com',
    help: "Contact address for the account at Let's Encrypt, or at another ACME server.",
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
    byDefault: "Let's Encrypt",
    takes: 'the https URL of an ACME directory, without credentials or query (it is not kept secret)',
    example: 'https://acme.example.com/directory',
    help: "A private ACME server to use instead of Let's Encrypt.",
    input: 'text',
  }),
  acmeCa: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_TLS_ACME_CA',
    stage: 'configure',
    value: pem('certificate'),
    fallback: undefined,
    byDefault: "none: the system's trusted CAs",
    takes: 'PEM certificates, or their Base64 encoding',
    example: '',
    help: 'The CA certificate that the private ACME server is verified against.',
    input: 'text64',
  }),
  contextSize: variable<number | 'auto'>({
    name: 'ONEAPP_COPILOT_CONTEXT_SIZE',
    stage: 'configure',
    value: z.literal('auto').or(digits.pipe(z.int().min(shortestContext))),
    fallback: usefulContext,
    byDefault: String(usefulContext),
    takes: `a whole number of tokens from ${shortestContext} up to the model's limit, or auto for the most that fits into memory`,
    example: '65536',
    help: 'The context window of each conversation, in tokens. A larger one takes more memory.',
    input: 'text',
  }),
  parallel: variable<number | 'auto'>({
    name: 'ONEAPP_COPILOT_PARALLEL',
    alias: 'ONEAPP_COPILOT_CONTEXT_PARALLEL',
    stage: 'configure',
    value: z.literal('auto').or(digits.pipe(z.int().min(1).max(mostParallel))),
    fallback: 'auto',
    byDefault: 'auto: up to 4, as memory permits',
    takes: `a whole number from 1 to ${mostParallel}, or auto`,
    example: '2',
    help: 'Conversations served at once, each with the full context window. Further requests are asked to retry later (429).',
    input: 'list',
    options: ['auto', ...Array.from({ length: mostParallel }, (_, index) => String(index + 1))],
  }),
  threads: variable<number>({
    name: 'ONEAPP_COPILOT_THREADS',
    alias: 'ONEAPP_COPILOT_CPU_THREADS',
    stage: 'configure',
    value: digits,
    fallback: 0,
    byDefault: '0: one per physical core',
    takes: 'a whole number, 0 or more',
    example: '8',
    help: 'The number of inference threads.',
    input: 'number',
  }),
  model: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL',
    alias: 'ONEAPP_COPILOT_AI_MODEL',
    stage: 'configure',
    value: modelName,
    fallback: undefined,
    byDefault: 'the one baked into the image',
    takes: 'the name of a model in the catalogue',
    example: 'devstral-small-2',
    help: 'The model to serve. One that is not in the image is downloaded while the current one keeps serving.',
    input: 'list',
    options: Object.keys(catalogue),
  }),
  thinking: variable<ThinkingRequest>({
    name: 'ONEAPP_COPILOT_THINKING',
    alias: 'ONEAPP_COPILOT_AI_THINKING',
    stage: 'configure',
    value: z.enum(['auto', 'NO']).or(digits.pipe(z.int().min(1))),
    fallback: 'auto',
    byDefault: 'auto: the model decides',
    takes: 'auto, NO, or a whole number of tokens, 1 or more',
    example: '2048',
    help: 'How long a model may think before each answer, if it does: NO for not at all, or a number of tokens.',
    input: 'text',
  }),
  completion: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_COMPLETION',
    alias: 'ONEAPP_COPILOT_AI_COMPLETION',
    stage: 'configure',
    value: z
      .literal('NO')
      .transform(() => undefined)
      .or(modelName),
    fallback: 'auto',
    byDefault:
      'auto: the model in the image, if there is one and it costs chat neither context nor conversations',
    takes: 'auto, NO, or the name of a model for completion',
    example: 'qwen2.5-coder-1.5b',
    help: 'Code completion as you type, with a small model of its own. A model named here is downloaded if it is not in the image.',
    input: 'list',
    options: ['auto', 'NO', ...companionsOf('completion')],
  }),
  embeddings: variable<string[]>({
    name: 'ONEAPP_COPILOT_EMBEDDINGS',
    alias: 'ONEAPP_COPILOT_AI_EMBEDDINGS',
    stage: 'configure',
    value: z
      .enum(['YES', 'NO'])
      .transform(answer => (answer === 'YES' ? searchDefaults : []))
      .or(
        z
          .string()
          .transform(text => text.split(/[\s,]+/).filter(Boolean))
          .pipe(z.array(modelName).min(1).max(2)),
      ),
    fallback: [],
    byDefault: 'NO',
    takes: `YES (${searchDefaults.join(' and ')}), NO, or the name of a model for embeddings, of one for reranking, or of both, separated by a space`,
    example: 'nomic-embed-text-v1.5',
    help: 'Search over code: embeddings, and reranking of the results, each with a small model of its own, which is downloaded if it is not in the image.',
    input: 'text',
  }),
  modelMirror: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL_MIRROR',
    alias: 'ONEAPP_COPILOT_AI_MIRROR',
    stage: 'configure',
    value: z
      .url({ protocol: /^https?$/ })
      .max(1000)
      .regex(/^[^@?#\s]+$/),
    fallback: undefined,
    byDefault: 'none: models are downloaded from huggingface.co',
    takes:
      'the http or https URL of a folder that holds the GGUF files under their original names, without credentials or query (it is not kept secret)',
    example: 'https://mirror.example.com/models',
    help: 'Where to download models from. Their SHA-256 digests are verified, whatever the source.',
    input: 'text',
  }),
  modelUrl: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL_URL',
    alias: 'ONEAPP_COPILOT_AI_URL',
    stage: 'configure',
    value: modelFileUrl,
    fallback: undefined,
    byDefault: 'none: a model from the catalogue is served',
    takes:
      'the http or https URL of a single GGUF file, or file:///PATH for one on a disk of the VM, ending in .gguf, without credentials or query (it is not kept secret)',
    example: 'https://models.example.com/my-model-Q4_K_M.gguf',
    help: 'A model of your own, served instead of one from the catalogue once it is downloaded and verified. Checking its licence is up to you.',
    input: 'text',
  }),
  modelSha256: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_MODEL_SHA256',
    alias: 'ONEAPP_COPILOT_AI_SHA256',
    stage: 'configure',
    value: z
      .string()
      .toLowerCase()
      .regex(/^[0-9a-f]{64}$/),
    fallback: undefined,
    byDefault: 'none; required with a URL',
    takes: "the 64 hexadecimal digits of the file's SHA-256",
    example: '',
    help: 'The SHA-256 digest of your own model. A file with a different one is not served.',
    input: 'text',
  }),
  ntpServers: variable<string[]>({
    name: 'ONEAPP_COPILOT_NTP_SERVERS',
    stage: 'configure',
    value: hosts,
    fallback: [],
    byDefault: "none: the hypervisor's clock, and the NTP servers announced by DHCP",
    takes: 'up to 8 host names or IP addresses, separated by commas or spaces',
    example: 'ntp1.example.com, 192.0.2.123',
    help: 'The NTP servers to synchronise with. No public server is used unless it is named here.',
    input: 'text',
  }),
  unattendedUpgrades: variable<boolean>({
    name: 'ONEAPP_COPILOT_UNATTENDED_UPGRADES',
    stage: 'configure',
    value: yesOrNo,
    fallback: false,
    byDefault: 'NO: no connection to a package archive is made',
    takes: 'YES or NO',
    example: 'YES',
    help: "Install the operating system's security updates daily, without rebooting and without restarting llama-server.",
    input: 'boolean',
  }),
  persistPromptCache: variable<boolean>({
    name: 'ONEAPP_COPILOT_KEEP_PROMPTS',
    alias: 'ONEAPP_COPILOT_CACHE_KEEP',
    stage: 'configure',
    value: yesOrNo,
    fallback: false,
    byDefault: 'NO: prompts are recomputed after a restart',
    takes: 'YES or NO',
    example: 'YES',
    help: 'Persist the prompt cache: save it to disk, unencrypted, when llama-server stops, and restore it at the next start.',
    input: 'boolean',
  }),
  sharedCache: variable<boolean>({
    name: 'ONEAPP_COPILOT_SHARED_CACHE',
    alias: 'ONEAPP_COPILOT_CACHE_SHARED',
    stage: 'configure',
    value: yesOrNo,
    fallback: false,
    byDefault: 'NO: each key has a prompt cache of its own',
    takes: 'YES or NO',
    example: 'YES',
    help: 'Share cached prompts between keys: faster, but the holder of one key can find out whether another has sent a given text.',
    input: 'boolean',
  }),
  metricsKey: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_METRICS_KEY',
    stage: 'configure',
    value: key,
    fallback: undefined,
    byDefault: 'none: the password and the keys in ONEAPP_COPILOT_KEYS open the metrics',
    takes: keyRule,
    example: '',
    help: "A key that opens the metrics at /metrics and nothing else: as a Bearer token, or as the password of user 'metrics'.",
    input: 'password',
  }),
  stateDisk: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_STATE_DISK',
    stage: 'configure',
    value: z.string().regex(/^(\/dev\/)?[A-Za-z0-9._-]{1,64}$/),
    fallback: undefined,
    byDefault: `the one with the serial number ${stateSerial}, if there is one`,
    takes: 'the name of a device, or the serial number of a disk',
    example: 'vdb',
    help: 'An empty disk to format, and to keep the state on from then on: key, certificates, CA. A disk that is not empty is never formatted.',
    input: 'text',
  }),
  drainLimit: variable<number>({
    name: 'ONEAPP_COPILOT_DRAIN_SECONDS',
    alias: 'ONEAPP_COPILOT_FLEET_DRAIN',
    stage: 'configure',
    value: digits.pipe(z.int().max(longestDrain)),
    fallback: defaultDrainLimit,
    byDefault: `${defaultDrainLimit}`,
    takes: `a whole number of seconds, up to ${longestDrain}`,
    example: '120',
    help: 'How long a shutdown of the VM waits for answers in progress. OpenNebula must wait longer (SHUTDOWN_TIMEOUT in kvmrc).',
    input: 'number',
  }),
  role: variable<Role>({
    name: 'ONEAPP_COPILOT_ROLE',
    alias: 'ONEAPP_COPILOT_FLEET_ROLE',
    stage: 'configure',
    value: z.enum(roles),
    fallback: 'copilot',
    byDefault: 'copilot: this VM serves a model',
    takes: 'copilot or router',
    example: 'router',
    help: 'A router serves no model: it passes requests on to the copilots of a fleet, and needs 1 GB of memory.',
    input: 'list',
    options: roles,
  }),
  backends: variable<Backend[]>({
    name: 'ONEAPP_COPILOT_BACKENDS',
    alias: 'ONEAPP_COPILOT_FLEET_BACKENDS',
    stage: 'configure',
    value: backends,
    fallback: [],
    byDefault: 'none: a router asks OneGate for the copilots of its OneFlow service',
    takes:
      "https URLs of copilots, separated by spaces, each followed by = and the SHA-256 fingerprint of its own or its CA's certificate, as openssl prints it; a URL with a DNS name needs none if a public CA has issued the certificate",
    example: '',
    help: 'For a router: the copilots to pass requests on to.',
    input: 'text',
  }),
  fleetKey: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_FLEET_KEY',
    stage: 'configure',
    value: key,
    fallback: undefined,
    byDefault: 'none: no router may pass requests on to this VM',
    takes: keyRule,
    example: '',
    help: 'The key that a router presents to the copilots: the same on every VM of a fleet. Developers never need it.',
    input: 'password',
  }),
  floatingAddresses: variable<string[]>({
    name: 'ONEAPP_COPILOT_FLOATING_IP',
    alias: 'ONEAPP_COPILOT_FLEET_FLOATING_IP',
    stage: 'configure',
    value: floatingAddresses,
    fallback: [],
    byDefault: "none: clients use the router's own address",
    takes:
      'an IPv4 address, an IPv6 address, or one of each, separated by a space, without a prefix length and in a network of the router',
    example: '192.0.2.10',
    help: 'For two routers: the address at which developers reach them. One has it; if that fails, the other takes it.',
    input: 'text',
  }),
  logFormat: variable<LogFormat>({
    name: 'ONEAPP_COPILOT_LOG_FORMAT',
    stage: 'configure',
    value: z.enum(logFormats),
    fallback: 'text',
    byDefault: 'text: name=value pairs',
    takes: 'text or json',
    example: 'json',
    help: 'The format of the request log: one line for each request, with the name of its key and its times, and nothing of its content.',
    input: 'list',
    options: logFormats,
  }),
  syslog: variable<SyslogReceiver | undefined>({
    name: 'ONEAPP_COPILOT_SYSLOG',
    alias: 'ONEAPP_COPILOT_SYSLOG_SERVER',
    stage: 'configure',
    value: syslogReceiver,
    fallback: undefined,
    byDefault: 'none: no log leaves the VM',
    takes:
      'tls://HOST or tls://HOST:PORT, with a host name that the receiver has a certificate for, not an address',
    example: 'tls://log.example.org:6514',
    help: "Where to forward the request log and the appliance's warnings: a syslog server, over TLS.",
    input: 'text',
  }),
  syslogCa: variable<string | undefined>({
    name: 'ONEAPP_COPILOT_SYSLOG_CA',
    stage: 'configure',
    value: pem('certificate'),
    fallback: undefined,
    byDefault: "none: the system's trusted CAs",
    takes: 'PEM certificates, or their Base64 encoding',
    example: '',
    help: 'The CA certificate that the syslog server is verified against.',
    input: 'text64',
  }),
}

/** The records in the order of the tables. */
export const variableList: Variable[] = Object.values(variables) as Variable[]

/** All names and aliases. */
export const variableNames: string[] = variableList.flatMap(({ name, alias }) =>
  alias === undefined ? [name] : [name, alias],
)
