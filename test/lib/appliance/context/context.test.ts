import { expect, it } from 'vitest'
import { parseContext } from '../../../../lib/appliance/context/context.ts'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { ContextError } from '../../../../lib/appliance/problems.ts'
import { issued } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'

const baked = { ...catalogue['devstral-small-2'], name: 'sentence', contextLimit: 40_000 }
const { leaf, ca } = issued({ dns: ['copilot.example.com'], ip: [] }, rightClock(new Date()))
const [supplied, authority] = [leaf, ca.certificate]
const parse = (env: Record<string, string>) => parseContext(env, [baked, ...Object.values(catalogue)], baked)
const problemsOf = (env: Record<string, string>) => {
  try {
    parse(env)
  } catch (error) {
    if (error instanceof ContextError) return error.problems
    throw error
  }
  return []
}

it('gives every variable its default if it is unset or empty', () => {
  const defaults = {
    contextSize: 32_768,
    parallel: 'auto',
    threads: 0,
    password: undefined,
    keys: [],
    domain: undefined,
    tlsCertificate: undefined,
    tlsKey: undefined,
    acmeEmail: undefined,
    acmeUrl: undefined,
    acmeCa: undefined,
    model: undefined,
    thinking: 'auto',
    completion: 'auto',
    embeddings: [],
    persistPromptCache: false,
    ntpServers: [],
    unattendedUpgrades: false,
    sharedCache: false,
    logFormat: 'text',
    syslog: undefined,
    syslogCa: undefined,
    metricsKey: undefined,
    stateDisk: undefined,
    drainLimit: 300,
    role: 'copilot',
    backends: [],
    fleetKey: undefined,
    floatingAddresses: [],
    modelUrl: undefined,
    modelSha256: undefined,
  }
  expect(parse({})).toEqual(defaults)
  expect(parse({ ONEAPP_COPILOT_PASSWORD: '', ONEAPP_COPILOT_CONTEXT_SIZE: '' })).toEqual(defaults)
})

it.each([
  [
    'ONEAPP_COPILOT_PASSWORD',
    'Abcdefghij-9!#$%&()*+,./;<=>?@[]^_{|}~',
    'password',
    'Abcdefghij-9!#$%&()*+,./;<=>?@[]^_{|}~',
  ],
  ['ONEAPP_COPILOT_API_PASSWORD', 'x'.repeat(128), 'password', 'x'.repeat(128)],
  ['ONEAPP_COPILOT_DOMAIN', 'Copilot.Example.COM', 'domain', 'copilot.example.com'],
  ['ONEAPP_COPILOT_TLS_DOMAIN', 'xn--bcher-kva.example', 'domain', 'xn--bcher-kva.example'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '512', 'contextSize', 512],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '40000', 'contextSize', 40_000],
  ['ONEAPP_COPILOT_CPU_THREADS', '16', 'threads', 16],
  ['ONEAPP_COPILOT_AI_MODEL', 'devstral-small-2', 'model', 'devstral-small-2'],
  ['ONEAPP_COPILOT_MODEL', 'sentence', 'model', 'sentence'],
  ['ONEAPP_COPILOT_NTP_SERVERS', 'ntp1, ntp.example.com', 'ntpServers', ['ntp1', 'ntp.example.com']],
  ['ONEAPP_COPILOT_NTP_SERVERS', '192.0.2.1\n2001:db8::1,', 'ntpServers', ['192.0.2.1', '2001:db8::1']],
  ['ONEAPP_COPILOT_NTP_SERVERS', 'a b c d e f g h', 'ntpServers', [...'abcdefgh']],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', 'auto', 'contextSize', 'auto'],
  ['ONEAPP_COPILOT_THINKING', 'auto', 'thinking', 'auto'],
  ['ONEAPP_COPILOT_THINKING', 'NO', 'thinking', 'NO'],
  ['ONEAPP_COPILOT_AI_THINKING', '2048', 'thinking', 2048],
  ['ONEAPP_COPILOT_PARALLEL', 'auto', 'parallel', 'auto'],
  ['ONEAPP_COPILOT_PARALLEL', '1', 'parallel', 1],
  ['ONEAPP_COPILOT_PARALLEL', '64', 'parallel', 64],
  ['ONEAPP_COPILOT_THREADS', '0', 'threads', 0],
  ['ONEAPP_COPILOT_KEEP_PROMPTS', 'YES', 'persistPromptCache', true],
  ['ONEAPP_COPILOT_KEEP_PROMPTS', 'NO', 'persistPromptCache', false],
  ['ONEAPP_COPILOT_SHARED_CACHE', 'YES', 'sharedCache', true],
  ['ONEAPP_COPILOT_UNATTENDED_UPGRADES', 'YES', 'unattendedUpgrades', true],
  ['ONEAPP_COPILOT_TLS_EMAIL', 'admin@example.com', 'acmeEmail', 'admin@example.com'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'https://ca.example:14000/dir', 'acmeUrl', 'https://ca.example:14000/dir'],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'http://192.0.2.1:8080/gguf', 'modelMirror', 'http://192.0.2.1:8080/gguf'],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'https://mirror.example/', 'modelMirror', 'https://mirror.example/'],
  ['ONEAPP_COPILOT_EMBEDDINGS', 'YES', 'embeddings', ['qwen3-embedding-0.6b', 'qwen3-reranker-0.6b']],
  ['ONEAPP_COPILOT_EMBEDDINGS', 'NO', 'embeddings', []],
  [
    'ONEAPP_COPILOT_AI_EMBEDDINGS',
    'nomic-embed-text-v1.5, qwen3-reranker-0.6b',
    'embeddings',
    ['nomic-embed-text-v1.5', 'qwen3-reranker-0.6b'],
  ],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://log.example.org', 'syslog', { host: 'log.example.org', port: 6514 }],
  ['ONEAPP_COPILOT_SYSLOG', 'TLS://Log:1/', 'syslog', { host: 'log', port: 1 }],
  ['ONEAPP_COPILOT_SYSLOG_SERVER', 'tls://log.2b:65535', 'syslog', { host: 'log.2b', port: 65_535 }],
  ['ONEAPP_COPILOT_TLS_ACME_CA', Buffer.from(authority).toString('base64'), 'acmeCa', authority],
])('accepts %s=%s', (name, text, field, value) => {
  expect(parse({ [name]: text })).toMatchObject({ [field]: value })
})

it.each([
  ['ONEAPP_COPILOT_PASSWORD', 'elevenchars'],
  ['ONEAPP_COPILOT_PASSWORD', 'x'.repeat(129)],
  ['ONEAPP_COPILOT_PASSWORD', 'with a space in it'],
  ['ONEAPP_COPILOT_PASSWORD', 'with:a:colon:in:it'],
  ['ONEAPP_COPILOT_PASSWORD', "with'a'quote'in'it"],
  ['ONEAPP_COPILOT_PASSWORD', 'with"a"quote"in"it'],
  ['ONEAPP_COPILOT_PASSWORD', 'with\\a\\backslash'],
  ['ONEAPP_COPILOT_PASSWORD', 'with\na\nline\nbreak'],
  ['ONEAPP_COPILOT_PASSWORD', 'sécurité-sécurité'],
  ['ONEAPP_COPILOT_DOMAIN', 'localhost'],
  ['ONEAPP_COPILOT_DOMAIN', '192.0.2.7'],
  ['ONEAPP_COPILOT_DOMAIN', '-a.example.com'],
  ['ONEAPP_COPILOT_DOMAIN', 'a..example.com'],
  ['ONEAPP_COPILOT_DOMAIN', 'a.example.com; include /etc/passwd'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '511'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '40001'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '32k'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '1e4'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', ' 4096'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '+4096'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '4096.0'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '４０９６'],
  ['ONEAPP_COPILOT_THREADS', '-1'],
  ['ONEAPP_COPILOT_NTP_SERVERS', 'ntp;x'],
  ['ONEAPP_COPILOT_NTP_SERVERS', 'https://ntp.example.com'],
  ['ONEAPP_COPILOT_NTP_SERVERS', '-x'],
  ['ONEAPP_COPILOT_NTP_SERVERS', 'a b c d e f g h i'],
  ['ONEAPP_COPILOT_THREADS', '0x4'],
  ['ONEAPP_COPILOT_MODEL', 'gpt-5'],
  ['ONEAPP_COPILOT_MODEL', '../../etc/passwd'],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', 'Auto'],
  ['ONEAPP_COPILOT_PARALLEL', '0'],
  ['ONEAPP_COPILOT_THINKING', '0'],
  ['ONEAPP_COPILOT_THINKING', 'no'],
  ['ONEAPP_COPILOT_THINKING', 'YES'],
  ['ONEAPP_COPILOT_THINKING', '1.5'],
  ['ONEAPP_COPILOT_THINKING', '2k'],
  ['ONEAPP_COPILOT_PARALLEL', '65'],
  ['ONEAPP_COPILOT_PARALLEL', '1.5'],
  ['ONEAPP_COPILOT_KEEP_PROMPTS', 'yes'],
  ['ONEAPP_COPILOT_SHARED_CACHE', 'TRUE'],
  ['ONEAPP_COPILOT_UNATTENDED_UPGRADES', '1'],
  ['ONEAPP_COPILOT_TLS_EMAIL', 'admin'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'http://acme.example.com/directory'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'https://user:secret@acme.example.com/directory'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'https://acme.example.com/directory?token=secret'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'https://acme.example.com/#directory'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', 'https://acme.example.com/a directory'],
  ['ONEAPP_COPILOT_TLS_ACME_URL', `https://acme.example.com/${'x'.repeat(976)}`],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'ftp://mirror.example.com/models'],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'file:///srv/models'],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'https://user@mirror.example.com'],
  ['ONEAPP_COPILOT_MODEL_MIRROR', 'mirror.example.com/models'],
  ['ONEAPP_COPILOT_SYSLOG', 'log.example.org:6514'],
  ['ONEAPP_COPILOT_SYSLOG', 'tcp://log.example.org:6514'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://192.0.2.7:6514'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://[2001:db8::7]:6514'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://log.example.org:0'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://log.example.org:65536'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://user:secret@log.example.org'],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://log.example.org" target="other'],
  ['ONEAPP_COPILOT_SYSLOG', `tls://${'a.'.repeat(127)}example`],
  ['ONEAPP_COPILOT_SYSLOG_CA', 'log-ca'],
  ['ONEAPP_COPILOT_DOMAIN', `${'a.'.repeat(126)}example`],
  ['ONEAPP_COPILOT_DOMAIN', `${'a'.repeat(64)}.example.com`],
])('refuses %s=%j', (name, text) => {
  expect(problemsOf({ [name]: text })).toMatchObject([{ variable: name }])
})

it('accepts named keys separated by line breaks or spaces', () => {
  const text = 'alice=alices-key-with=equals bob=bobs-key-0123\n  carol=carols-key-012\n'
  expect(parse({ ONEAPP_COPILOT_KEYS: text }).keys).toEqual([
    { name: 'alice', key: 'alices-key-with=equals' },
    { name: 'bob', key: 'bobs-key-0123' },
    { name: 'carol', key: 'carols-key-012' },
  ])
})

it.each([
  ['alice=alices-key-0123:1', 'alices-key-0123', 1],
  ['alice=alices-key-0123:64', 'alices-key-0123', 64],
  ['alice=alices-key-0123:08', 'alices-key-0123', 8],
  ['alice=alices=key=0123:2', 'alices=key=0123', 2],
])('accepts a limit of slots: %s', (text, key, limit) => {
  expect(parse({ ONEAPP_COPILOT_KEYS: text }).keys).toEqual([{ name: 'alice', key, limit }])
})

it.each([
  ['ONEAPP_COPILOT_PASSWORD', 'a-key-for-all-1'],
  ['ONEAPP_COPILOT_KEYS', 'alice=a-key-for-all-1'],
  ['ONEAPP_COPILOT_KEYS', 'alice=a-key-for-all-1:2'],
])('refuses a key of the metrics that is also in %s', (name, text) => {
  const problems = problemsOf({ [name]: text, ONEAPP_COPILOT_METRICS_KEY: 'a-key-for-all-1' })
  expect(problems).toMatchObject([
    { variable: 'ONEAPP_COPILOT_METRICS_KEY', got: expect.stringContaining(name) },
  ])
  expect(JSON.stringify(problems)).not.toContain('a-key-for-all')
})

it.each([
  ...['', '0', '65', '-1', '1.5', 'two', '2:3', 'rest-of-a-key', '2x', '+2', '100'].map(
    (limit): [string, RegExp] => [
      `alice=alices-key-0123:${limit}`,
      /^pair 1: a colon that is not followed by a limit from 1 to 64/,
    ],
  ),
  ['alice=:2', /^pair 1: not in the form NAME=KEY/],
  ['alice=short:2', /^pair 1: an invalid key/],
  ['bob=bobs-key-01234:2 alice=bobs-key-01234:3', /^pair 2: the same key as pair 1/],
  ['alice', /^pair 1: not in the form NAME=KEY/],
  ['sk-alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['sk-alices-key-0123=', /^pair 1: not in the form NAME=KEY/],
  ['c2stYWxpY2VzLWtleS0wMTIz==', /^pair 1: an invalid key after NAME=/],
  ['alice:alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['alice=short', /^pair 1: an invalid key/],
  ['alice=alices-key-0123 =bobs-key-01234', /^pair 2: not in the form NAME=KEY/],
  ['al;ice=alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['copilot=copilots-key-012', /^pair 1: the name copilot, which is reserved/],
  ['-=key-without-name-1', /^pair 1: the name -, which means/],
  ['alice=alices-key-0123 alice=alices-key-0124', /^pair 2: the same name as pair 1/],
  ['alice=one-key-for-two bob=one-key-for-two', /^pair 2: the same key as pair 1/],
  ['bob=bobs-key-01234 alice=the-very-password', /^pair 2: the password as its key/],
  ...[',', ';', '|', '&'].flatMap((separator): [string, RegExp][] => [
    [`alice=alices-key-0123${separator}bob=bobs-key-01234`, /^pair 1: a separator/],
    [`alice=alices-key-0123${separator} bob=bobs-key-01234`, /^pair 1: a separator/],
    [`alice=alices-key-0123 ${separator}bob=bobs-key-01234`, /^pair 2: not in the form NAME=KEY/],
  ]),
])('refuses the keys %j, naming them by number', (text, words) => {
  const problems = problemsOf({ ONEAPP_COPILOT_KEYS: text, ONEAPP_COPILOT_PASSWORD: 'the-very-password' })
  expect(problems).toMatchObject([{ variable: 'ONEAPP_COPILOT_KEYS', got: expect.stringMatching(words) }])
  expect(JSON.stringify(problems)).not.toMatch(/key-0|one-key|very-pass|c2st|alice|bob/)
})

const modelUrl = 'https://models.example.com/my-model-Q4_K_M.gguf'
const modelSha256 = 'ab'.repeat(32)

it.each<[Record<string, string>, string[]]>([
  [{ ONEAPP_COPILOT_MODEL_URL: modelUrl, ONEAPP_COPILOT_MODEL_SHA256: modelSha256 }, []],
  [{ ONEAPP_COPILOT_AI_URL: modelUrl, ONEAPP_COPILOT_MODEL_SHA256: modelSha256 }, []],
  [{ ONEAPP_COPILOT_MODEL_URL: modelUrl, ONEAPP_COPILOT_AI_SHA256: modelSha256 }, []],
  [{ ONEAPP_COPILOT_AI_URL: modelUrl }, ['ONEAPP_COPILOT_MODEL_SHA256']],
  [{ ONEAPP_COPILOT_AI_SHA256: modelSha256 }, ['ONEAPP_COPILOT_MODEL_URL']],
  [{ ONEAPP_COPILOT_MODEL_URL: '', ONEAPP_COPILOT_AI_SHA256: '' }, []],
])('takes both variables of a pair, under either name: %o', (env, missing) => {
  expect(problemsOf(env)).toMatchObject(missing.map(variable => ({ variable, got: 'nothing' })))
})

const fleetKey = 'the-key-of-the-fleet-1'

const floatingIp = 'ONEAPP_COPILOT_FLOATING_IP'
const alike = {
  ONEAPP_COPILOT_ROLE: 'router',
  ONEAPP_COPILOT_FLEET_KEY: fleetKey,
  ONEAPP_COPILOT_PASSWORD: 'the-password-of-both',
  ONEAPP_COPILOT_TLS_CERT: authority,
  ONEAPP_COPILOT_TLS_KEY: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
}

it.each([
  ['192.0.2.10', ['192.0.2.10']],
  ['2001:DB8:0::a', ['2001:db8::a']],
  ['2001:db8::a, 192.0.2.10', ['192.0.2.10', '2001:db8::a']],
])('a floating address: %s', (text, floatingAddresses) => {
  expect(parse({ ...alike, [floatingIp]: text })).toMatchObject({ floatingAddresses })
})

it.each([
  '192.0.2.10/24',
  '192.0.2.10 192.0.2.11',
  '2001:db8::a 2001:db8::b',
  '192.0.2.10 2001:db8::a 2001:db8::b',
  '192.0.2.256',
  '192.0.2',
  '192.0.2.010',
  'copilot.example.com',
  '[2001:db8::a]',
  '2001:db8::a/64',
  '2001:db8::a]:80',
  'fe80::1',
  '::1',
  '::',
  '::ffff:192.0.2.10',
  'ff02::1',
  '0.0.0.0',
  '127.0.0.1',
  '169.254.1.1',
  '224.0.0.18',
  '255.255.255.255',
  '192.0.2.10\nvrrp_script',
])('no floating address: %j', text => {
  expect(problemsOf({ ...alike, [floatingIp]: text })).toMatchObject([{ variable: floatingIp }])
})

it('a floating address needs a router, and what clients know of it from the context', () => {
  const given = { [floatingIp]: '192.0.2.10' }
  const { ONEAPP_COPILOT_ROLE, ONEAPP_COPILOT_FLEET_KEY, ...others } = alike
  expect(problemsOf({ ...given, ...others })).toMatchObject([
    { variable: floatingIp, got: '192.0.2.10', takes: 'nothing, unless ONEAPP_COPILOT_ROLE is router' },
  ])
  const missing = problemsOf({ ...given, ONEAPP_COPILOT_ROLE, ONEAPP_COPILOT_FLEET_KEY })
  expect(missing.map(({ variable, got }) => [variable, got])).toEqual(
    Object.keys(others).map(variable => [variable, 'nothing']),
  )
  expect(missing[0]?.takes).toMatch(/; the same on both routers, since ONEAPP_COPILOT_FLOATING_IP is set$/)
})

it.each<[string, Record<string, string>, string | undefined]>([
  ['a copilot without one', {}, undefined],
  [
    'a copilot with one',
    { ONEAPP_COPILOT_FLEET_KEY: fleetKey, ONEAPP_COPILOT_PASSWORD: 'another-key-1' },
    undefined,
  ],
  ['a router with one', { ONEAPP_COPILOT_ROLE: 'router', ONEAPP_COPILOT_FLEET_KEY: fleetKey }, undefined],
  ['a router without one', { ONEAPP_COPILOT_ROLE: 'router' }, 'nothing'],
  ...[
    { ONEAPP_COPILOT_PASSWORD: fleetKey },
    { ONEAPP_COPILOT_METRICS_KEY: fleetKey },
    { ONEAPP_COPILOT_KEYS: `alice=${fleetKey}` },
  ].map((other): [string, Record<string, string>, string] => [
    `one that is also in ${Object.keys(other)}`,
    { ONEAPP_COPILOT_FLEET_KEY: fleetKey, ...other },
    'a key that is also used for something else',
  ]),
  ['one that is too short', { ONEAPP_COPILOT_FLEET_KEY: 'x' }, '1 character'],
])('the key of the fleet: %s', (_, env, got) => {
  const problems = problemsOf(env)
  expect(problems).toMatchObject(got === undefined ? [] : [{ variable: 'ONEAPP_COPILOT_FLEET_KEY', got }])
  expect(JSON.stringify(problems)).not.toContain(fleetKey)
})

it.each([
  ['a b c d e', '5'],
  ['a b c d e f', '5: and 1 more'],
  ['a b c d e f g', '5: and 2 more'],
])('lists at most five problems of one value: %s', (text, expected) => {
  const [problem] = problemsOf({ ONEAPP_COPILOT_BACKENDS: text })
  const parts = problem?.got.split('; ') ?? []
  const entries = parts.filter(part => /^entry \d+: /.test(part))
  const more = parts.filter(part => !entries.includes(part))
  expect([entries.length, ...more].join(': ')).toBe(expected)
})

it('reports all problems at once, and only the length of a secret', () => {
  const env = {
    ONEAPP_COPILOT_PASSWORD: 'hunter2',
    ONEAPP_COPILOT_DOMAIN: 'nodots',
    ONEAPP_COPILOT_CONTEXT_SIZE: '32k',
    ONEAPP_COPILOT_THREADS: 'all',
    ONEAPP_COPILOT_MODEL: 'zork',
  }
  expect(problemsOf(env).map(({ variable }) => variable)).toEqual(Object.keys(env))
  expect(() => parse(env)).toThrow(
    /5 problems.*got 7 characters.*got "nodots".*got "32k".*got "all".*got "zork"/s,
  )
  expect(() => parse(env)).not.toThrow(/hunter2/)
})

it('refuses a name and its alias with different values, naming both without the secrets', () => {
  const env = { ONEAPP_COPILOT_PASSWORD: 'first-secret-1', ONEAPP_COPILOT_API_PASSWORD: 'other-secret-22' }
  expect(problemsOf(env)).toEqual([
    {
      variable: 'ONEAPP_COPILOT_PASSWORD',
      got: '14 characters, and 15 characters as ONEAPP_COPILOT_API_PASSWORD',
      takes: 'one value: set only one of the two',
    },
  ])
  expect(problemsOf({ ONEAPP_COPILOT_THREADS: '4', ONEAPP_COPILOT_CPU_THREADS: '4' })).toEqual([])
})

it.each([
  ['ONEAPP_COPILOT_THREADS', 'all', '"all"', 'a whole number, 0 or more, e.g. 8'],
  ['ONEAPP_COPILOT_PASSWORD', 'short', '5 characters', /^12 to 128 printable .* backslashes$/],
  ['ONEAPP_COPILOT_UNATTENDED_UPGRADES', 'maybe', '"maybe"', /^YES or NO$/],
  ['ONEAPP_COPILOT_ROLE', 'both', '"both"', /^copilot or router$/],
  ['ONEAPP_COPILOT_MODEL', 'zork', '"zork"', /^one of: sentence, devstral-small-2, /],
  ['ONEAPP_COPILOT_CONTEXT_SIZE', '40001', '40001', 'at most 40000 tokens with sentence'],
  ['ONEAPP_COPILOT_TLS_ACME_CA', 'a CA', 'text that is not a PEM certificate', /^PEM certificates, or /],
  ['ONEAPP_COPILOT_SYSLOG', 'tls://log.example.org:0', 'the port 0, which is not from 1 to 65535', /^tls:/],
  ['ONEAPP_COPILOT_TLS_KEY', 'a key', 'text that is not a PEM private key', /^a PEM private key /],
  [
    'ONEAPP_COPILOT_KEYS',
    'alice bob=short',
    'pair 1: not in the form NAME=KEY; pair 2: an invalid key after NAME=',
    /^NAME=KEY or NAME=KEY:LIMIT, /,
  ],
])('says of %s=%j: got %s', (name, text, got, takes) => {
  const [problem] = problemsOf({ [name]: text })
  expect(problem).toMatchObject({ variable: name, got })
  expect(problem?.takes).toMatch(takes)
})

it('limits the context to what the requested model supports, not the baked-in one', () => {
  const { contextLimit, name } = catalogue['devstral-small-2']
  const request = (size: number) => ({
    ONEAPP_COPILOT_MODEL: name,
    ONEAPP_COPILOT_CONTEXT_SIZE: String(size),
  })
  expect(parse(request(contextLimit)).contextSize).toBe(contextLimit)
  expect(problemsOf(request(contextLimit + 1))).toMatchObject([
    { variable: 'ONEAPP_COPILOT_CONTEXT_SIZE', takes: `at most ${contextLimit} tokens with ${name}` },
  ])
})

it('refuses a certificate without its key, and a key without its certificate', () => {
  const [certificate, key] = [supplied.certificate, supplied.key]
  const named = ['ONEAPP_COPILOT_TLS_CERT', 'ONEAPP_COPILOT_TLS_KEY'] as const
  expect(parse({ [named[0]]: certificate, [named[1]]: key })).toMatchObject({
    tlsCertificate: certificate,
    tlsKey: key,
  })
  expect(problemsOf({ [named[0]]: certificate })).toEqual([
    {
      variable: named[1],
      got: 'nothing',
      takes: expect.stringMatching(/^a PEM private key.*, since .*CERT is set$/),
    },
  ])
  expect(problemsOf({ [named[1]]: key })).toEqual([
    {
      variable: named[0],
      got: 'nothing',
      takes: expect.stringMatching(/^a PEM certificate.*, since .*KEY is set$/),
    },
  ])
})

it('asks the judge about the parsed context, and reports what it finds beside the rest', () => {
  const judged = { variable: 'ONEAPP_COPILOT_TLS_CERT', got: 'an expired certificate', takes: 'a valid one' }
  const judge = ({ threads }: { threads: number }) => (threads === 3 ? [judged] : [])
  expect(() => parseContext({ ONEAPP_COPILOT_THREADS: '4' }, [baked], baked, judge)).not.toThrow()
  expect(() =>
    parseContext({ ONEAPP_COPILOT_THREADS: '3', ONEAPP_COPILOT_MODEL: 'zork' }, [baked], baked, judge),
  ).toThrow(/2 problems.*an expired certificate.*"zork"/s)
})

it('prints problems within 80 columns', () => {
  const error = new ContextError(
    problemsOf({ ONEAPP_COPILOT_PASSWORD: 'short', ONEAPP_COPILOT_MODEL: 'zork' }),
  )
  expect(Math.max(...error.message.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})

const digest = 'a'.repeat(64)
const withUrl = (url: string, sha256 = digest) => ({
  ONEAPP_COPILOT_MODEL_URL: url,
  ONEAPP_COPILOT_MODEL_SHA256: sha256,
})

it.each([
  'https://models.example.com/a/My-Model.Q4_K_M.gguf',
  'http://10.0.0.1:8080/m.GGUF',
  'http://[2001:db8::1]/m.gguf',
  'file:///mnt/models/m.gguf',
])('takes the model at %s', modelUrl => {
  expect(parse(withUrl(modelUrl, digest.toUpperCase()))).toMatchObject({ modelUrl, modelSha256: digest })
})

it('takes both by the names that the wizard can group', () => {
  const env = { ONEAPP_COPILOT_AI_URL: 'http://a.example/m.gguf', ONEAPP_COPILOT_AI_SHA256: digest }
  expect(parse(env)).toMatchObject({ modelUrl: 'http://a.example/m.gguf', modelSha256: digest })
})

it.each([
  ['ftp://a.example/m.gguf', 'no http, https or file URL'],
  ['m.gguf', 'no http, https or file URL'],
  ['/mnt/m.gguf', 'no http, https or file URL'],
  ['https://', 'no http, https or file URL'],
  ['https://a.example/m .gguf', 'no http, https or file URL'],
  [`https://a.example/${'m'.repeat(1000)}.gguf`, 'no http, https or file URL'],
  ['file://server/m.gguf', 'a file URL with a host'],
  ['https://user:secret@a.example/m.gguf', 'a URL with credentials, a query or a fragment'],
  ['https://a.example/m.gguf?token=secret', 'a URL with credentials, a query or a fragment'],
  ['https://a.example/m.gguf#x', 'a URL with credentials, a query or a fragment'],
  ['https://a.example/', 'a URL that does not end in .gguf'],
  ['https://a.example/m.safetensors', 'a URL that does not end in .gguf'],
  [
    catalogue['devstral-small-2'].url.replace('/resolve/', '/blob/'),
    'the URL of a page about the file: /resolve/ in place of /blob/ is the file itself',
  ],
])('rejects the model at %j: %s', (url, got) => {
  expect(problemsOf(withUrl(url))).toMatchObject([{ variable: 'ONEAPP_COPILOT_MODEL_URL', got }])
})

it.each(['abc', 'g'.repeat(64), `sha256:${digest}`, `${digest}00`])('rejects the digest %s', sha256 => {
  expect(problemsOf(withUrl('http://a.example/m.gguf', sha256))).toMatchObject([
    { variable: 'ONEAPP_COPILOT_MODEL_SHA256', takes: expect.stringMatching(/^the 64 hexadecimal digits/) },
  ])
})

it.each([
  ['ONEAPP_COPILOT_MODEL_URL', 'ONEAPP_COPILOT_MODEL_SHA256'],
  ['ONEAPP_COPILOT_MODEL_SHA256', 'ONEAPP_COPILOT_MODEL_URL'],
] as const)('rejects %s without %s', (given, missing) => {
  const { [missing]: _, ...env } = withUrl('http://a.example/m.gguf')
  expect(problemsOf(env)).toMatchObject([
    { variable: missing, got: 'nothing', takes: expect.stringContaining(`since ${given} is set`) },
  ])
})

it('leaves the longest context of a model by URL to its header', () => {
  const env = { ...withUrl('http://a.example/m.gguf'), ONEAPP_COPILOT_CONTEXT_SIZE: '100000' }
  expect(parse(env).contextSize).toBe(100_000)
})
