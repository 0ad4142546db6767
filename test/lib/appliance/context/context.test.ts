import { expect, it } from 'vitest'
import { parseContext } from '../../../../lib/appliance/context/context.ts'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { ContextError } from '../../../../lib/appliance/problems.ts'

const baked = { ...catalogue['devstral-small-2'], name: 'sentence', contextLimit: 40_000 }
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
    persistPromptCache: false,
    ntpServers: [],
    sharedCache: false,
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
  ['alice', /^pair 1: not in the form NAME=KEY/],
  ['sk-alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['sk-alices-key-0123=', /^pair 1: not in the form NAME=KEY/],
  ['c2stYWxpY2VzLWtleS0wMTIz==', /^pair 1: an invalid key after NAME=/],
  ['alice:alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['alice=short', /^pair 1: an invalid key/],
  ['alice=alices-key-0123 =bobs-key-01234', /^pair 2: not in the form NAME=KEY/],
  ['al;ice=alices-key-0123', /^pair 1: not in the form NAME=KEY/],
  ['copilot=copilots-key-012', /^pair 1: the name copilot, which is reserved/],
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

it('prints problems within 80 columns', () => {
  const error = new ContextError(
    problemsOf({ ONEAPP_COPILOT_PASSWORD: 'short', ONEAPP_COPILOT_MODEL: 'zork' }),
  )
  expect(Math.max(...error.message.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})
