/** The request log: its fields, which nginx writes and the readers parse, and the two forms of a line. */

/** `text`: `name=value` pairs. `json`: one JSON object per line. */
export const logFormats = ['text', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

type LogField = {
  name: string
  /** The nginx variable. Its values need no escaping: numbers, or words from lists of our own. */
  variable: string
  /** In JSON a number, or null if unknown. */
  isNumber?: true
}

/** In the order of a line. Readers expect exactly these: lines of another version are skipped. */
export const logFields = [
  { name: 'time', variable: '$time_iso8601' },
  { name: 'id', variable: '$copilot_request_id' },
  { name: 'address', variable: '$remote_addr' },
  { name: 'tenant', variable: '$copilot_logged_tenant' },
  { name: 'method', variable: '$copilot_logged_method' },
  { name: 'path', variable: '$copilot_logged_path' },
  { name: 'status', variable: '$status', isNumber: true },
  { name: 'bytes', variable: '$body_bytes_sent', isNumber: true },
  { name: 'first_byte', variable: '$copilot_logged_first_byte', isNumber: true },
  { name: 'total', variable: '$request_time', isNumber: true },
  { name: 'slot_wait', variable: '$copilot_slot_wait', isNumber: true },
  { name: 'client', variable: '$copilot_client' },
  { name: 'limit', variable: '$copilot_limit' },
] as const satisfies LogField[]

/** Stands for what is unknown or does not apply: in text, and for names in JSON. */
export const unknown = '-'

/** The value of a number that is unknown. */
export const unknownNumber = (format: LogFormat) => (format === 'json' ? 'null' : unknown)

/** A path that the appliance does not have, or a method: some clients put a key into them. */
export const other = 'other'

/** The limit that a request with status 429 exceeded, by its name in the log, and what that means. */
export const requestLimits = {
  slots: 'all slots were busy',
  key: 'the key had as many requests in progress as it may',
  counts: 'too many token counts were in progress',
  service: 'the service for completion, embeddings or reranking was busy',
  requests: 'the key had too many concurrent requests',
} as const
export type RequestLimit = keyof typeof requestLimits

/** The appliance's own requests: the smoke test, and the checks of `status` and `doctor`. */
export const ownClient = 'slm-copilot'
export const ownHeaders = { 'user-agent': ownClient } as const

/** Clients by the start of their User-Agent (a regular expression); the first that matches counts. */
export const clientFamilies: [family: string, agent: string][] = [
  [ownClient, `${ownClient}\\z`],
  ['claude-code', 'claude-(cli|code)'],
  ['codex', 'codex'],
  ['opencode', 'opencode'],
  ['qwen-code', 'qwen-?code'],
  ['cline', 'cline'],
  ['continue', 'continue'],
  ['aider', '(aider|litellm)'],
  ['openai-sdk', '(async)?openai/'],
  ['anthropic-sdk', '(async)?anthropic/'],
  ['ai-sdk', 'ai(-sdk)?/'],
  ['curl', 'curl/'],
  ['python', 'python'],
  ['node', 'node|undici'],
  ['browser', 'mozilla/'],
]
