/** Values that people should not put into the context, but may: generated from a seed, for each variable. */
import { variables } from '../../lib/appliance/context/variables.ts'
import { type Random, seededRandom } from '../integration/support/seeded-random.ts'
import { issued } from './certificates.ts'
import { rightClock } from './clock.ts'

export type VariableKey = keyof typeof variables

const { leaf, ca } = issued({ dns: ['copilot.example.com'], ip: [] }, rightClock(new Date()))
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Good values, whose shape the hostile ones take; of other variables, the example. */
const good: Partial<Record<VariableKey, string[]>> = {
  password: ['correct-horse-battery', 'Abcdefghij-9!#$%&()*+,./;<=>?@[]^_{|}~'],
  keys: ['alice=alices-key-0123', 'alice=alices-key-0123:2 bob=bobs-key-01234', 'a.b_c-d=key$key{key};key'],
  domain: ['copilot.example.com', 'xn--bcher-kva.example'],
  tlsCertificate: [leaf.certificate, base64(leaf.certificate)],
  tlsKey: [leaf.key, base64(leaf.key)],
  acmeEmail: ['admin@example.com', "o'hara+copilot@example.com"],
  acmeUrl: ['https://acme.example.com/directory', "https://acme.example.com/a'b$c;d"],
  acmeCa: [ca.certificate, base64(ca.certificate)],
  contextSize: ['4096', 'auto'],
  parallel: ['2', 'auto'],
  threads: ['0', '4'],
  model: ['devstral-small-2', 'sentence'],
  modelMirror: ['http://mirror.example.com/models', "https://[2001:db8::1]:8443/a'b$(c)/"],
  ntpServers: ['ntp.example.com, 192.0.2.1', '2001:db8::1'],
  unattendedUpgrades: ['YES', 'NO'],
  persistPromptCache: ['YES', 'NO'],
  sharedCache: ['YES', 'NO'],
  metricsKey: ['key-of-the-metrics', 'key$key{key};key'],
  logFormat: ['text', 'json'],
  syslog: ['tls://log.example.org:6514', 'tls://log'],
  syslogCa: [ca.certificate, base64(ca.certificate)],
}

/** Each means something to a shell, nginx, systemd, a parser, a terminal, a browser or JavaScript. */
const pieces = [
  ...[
    '$(touch /tmp/hostile)',
    '`touch /tmp/hostile`',
    '; touch /tmp/hostile #',
    '| sh',
    '&& sh',
    '$PATH',
    '$IFS',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\\"',
    "\\'",
    '\n',
    '\r\n',
    '\r',
    '\t',
    ' ',
    '  ',
    '\\n',
    '%0a',
    '%00',
    '\u0000',
    '\u0007',
  ],
  ...[
    '\u001b[2J',
    '\u001b]0;x\u0007',
    '\u009b31m',
    '\u202e',
    '\u2066',
    '\u200b',
    '\u2028',
    '\ufeff',
    '\ud800',
    'é',
    '💥',
  ],
  ...[
    '{',
    '}',
    ';',
    '#',
    '//',
    '/*',
    '*/',
    '$host',
    '~*',
    '\n}\nserver{',
    '";}server{',
    '%n',
    '%i',
    '%%',
    '%h',
    '$$',
  ],
  ...[
    '\n[Service]\nExecStart=/bin/sh',
    '\nExecStartPre=+/bin/sh',
    '\nServer',
    '=',
    '==',
    ':',
    '::',
    ',',
    '@',
    '@include',
  ],
  ...[
    '<script>',
    '</code>',
    '&lt;',
    '-->',
    'javascript:',
    '../../etc/passwd',
    '/etc/shadow',
    '--option',
    '-rf',
    '-',
    '.',
  ],
  ...[
    '[ERROR] ',
    '2026-01-01T00:00:00Z [ERROR] forged',
    '\nONEAPP_COPILOT_PASSWORD=forged-password',
    'null',
    'undefined',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'default',
    'include',
    'hostnames',
    'volatile',
    'copilot',
    'metrics',
    '0',
  ],
]

const numbers = [
  ...[
    '0',
    '-0',
    '-1',
    '1',
    '64',
    '65',
    '511',
    '512',
    '513',
    '00000512',
    '999999999',
    '1000000000',
    '2147483648',
  ],
  ...[
    '9007199254740993',
    '1e9',
    '0x10',
    '0b1',
    '1_000',
    '1,000',
    '+1',
    '1.5',
    '.5',
    ' 512',
    '512 ',
    '512\n',
    '٣٢٧٦٨',
  ],
  ...['４０９６', 'NaN', 'Infinity', 'true', '[]', '{}', '512;', "512'", 'auto ', 'AUTO', 'auto,auto'],
]

/** Names of keys that mean something where a name may stand: in an nginx map, in JavaScript, in a log. */
const keyNames = [
  ...[
    'default',
    'include',
    'hostnames',
    'volatile',
    'map',
    '__proto__',
    'constructor',
    'toString',
    'metrics',
  ],
  ...[
    'Alice',
    'alice',
    'ALICE',
    '-',
    '.',
    '..',
    '.alice',
    '0',
    '1e9',
    'null',
    'other',
    '_',
    '-rf',
    '--',
    'x'.repeat(32),
  ],
]

/** 100 KiB. */
const huge = 102_400

export type HostileValue = { variable: VariableKey; name: string; value: string }

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T

function keysOf(random: Random): string {
  const pair = (number: number) => {
    const limit = random(2) === 0 ? '' : `:${pick(random, [...numbers, '1', '2', '3'])}`
    return `${pick(random, keyNames)}=key-number-${number}-of-${random(1e6)}${limit}`
  }
  return Array.from({ length: 1 + random(4) }, (_, number) => pair(number)).join(
    pick(random, [' ', '\n', ', ']),
  )
}

/** A good value with something inserted, replaced or repeated. */
function mutated(random: Random, text: string): string {
  const [at, piece] = [random(text.length + 1), pick(random, pieces)]
  const insertion = random(8) === 0 ? piece.repeat(1 + random(40)) : piece
  return text.slice(0, at) + insertion + text.slice(random(3) === 0 ? at + random(text.length - at + 1) : at)
}

function hostileTo(random: Random, variable: VariableKey): string {
  const seed = pick(random, good[variable] ?? [variables[variable].example])
  switch (random(16)) {
    case 0:
      return pick(random, pieces)
    case 1:
    case 2:
      return pick(random, numbers)
    case 3:
      return pick(random, ['x', '1', ' ', '\n', ...pieces])
        .repeat(huge)
        .slice(0, huge)
    case 4:
      return `${seed}${pick(random, pieces).repeat(huge).slice(0, huge)}`
    case 5:
      return base64(mutated(random, seed))
    case 6:
    case 7:
      return variable === 'keys' ? keysOf(random) : seed
    case 8:
      return Array.from({ length: 1 + random(6) }, () => pick(random, pieces)).join('')
    default:
      return mutated(random, random(4) === 0 ? mutated(random, seed) : seed)
  }
}

/** The same values for the same seed, the variables in turn. */
export function* hostileValues(seed: number, count: number): Generator<HostileValue> {
  const random = seededRandom(seed)
  const keys = Object.keys(variables) as VariableKey[]
  for (let number = 0; number < count; number += 1) {
    const variable = keys[number % keys.length] as VariableKey
    const { name, alias } = variables[variable]
    yield {
      variable,
      name: alias !== undefined && random(2) === 0 ? alias : name,
      value: hostileTo(random, variable),
    }
  }
}
