/** What HAProxy is told when the fleet changes, from what it has. */
import { expect, it } from 'vitest'
import type { Copilot } from '../../../../lib/appliance/fleet/fleet.ts'
import { changesOf, serverName, serversIn } from '../../../../lib/render/fleet/commands.ts'

const copilot = (changes: Partial<Copilot> = {}): Copilot => ({
  name: 'copilot-7',
  host: '192.0.2.7',
  port: 443,
  ca: '-----BEGIN CERTIFICATE-----\nAAAA\n\n-----END CERTIFICATE-----\n',
  model: 'tiny',
  contextSize: 4096,
  slots: 4,
  version: '1.2.3',
  since: '2026-02-14T10:00:00.000Z',
  ...changes,
})
const known = copilot()
const name = serverName(known)
const up = { name, connections: 0, state: 'UP' }
const chosen = changesOf([known], [], [])
  .filter(line => line.startsWith('fleet set '))
  .map(line => line.replace('fleet set ', ''))

it('adds a copilot with its own CA, its slots, and a health check', () => {
  expect(changesOf([known], [], [])).toEqual([
    `new ssl ca-file ${name}.pem`,
    `set ssl ca-file ${name}.pem <<\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    `commit ssl ca-file ${name}.pem`,
    expect.stringMatching(
      `^add server fleet/${name} 192.0.2.7:443 ssl verify required ca-file ${name}.pem maxconn 12 `,
    ),
    `enable health fleet/${name}`,
    `enable server fleet/${name}`,
    expect.stringMatching(`^fleet set ${name} 4 [0-9]+ tiny [?]$`),
  ])
})

it('adds one with a certificate of a public CA without a file', () => {
  const lines = changesOf([copilot({ ca: undefined })], [], [])
  expect(lines.map(line => line.replace(/(copilot-7)_[0-9a-f]{8}.*/, '$1'))).toEqual([
    'add server fleet/copilot-7',
    'enable health fleet/copilot-7',
    'enable server fleet/copilot-7',
    'fleet set copilot-7',
  ])
})

it.each<[string, Partial<Copilot>, RegExp]>([
  ['a public CA', { ca: undefined }, /ca-file @system-ca /],
  [
    'a name',
    { serverName: 'copilot.example.com' },
    /verifyhost copilot\.example\.com sni str\(copilot\.example\.com\)/,
  ],
  ['an IPv6 address', { host: '2001:db8::7' }, / \[2001:db8::7\]:443 /],
  ['another port', { port: 8443 }, / 192\.0\.2\.7:8443 /],
])('%s', (_, changes, text) => {
  expect(changesOf([copilot(changes)], [], []).find(line => line.startsWith('add server'))).toMatch(text)
})

it.each<[Copilot['services'], string]>([
  [undefined, '?'],
  [{}, '-'],
  [{ embeddings: 'b;c', completion: 'a' }, 'completion=a,embeddings=b-c'],
])('services %j are told as %s', (services, text) => {
  expect(
    changesOf([copilot({ services })], [], [])
      .at(-1)
      ?.split(' ')
      .at(-1),
  ).toBe(text)
})

it.each([
  ['nothing has changed', [known], [up], chosen, []],
  ['HAProxy’s program has been restarted', [known], [up], [], [`fleet set ${chosen[0]}`]],
  ['it comes back', [known], [{ ...up, state: 'DRAIN' }], chosen, [`set server fleet/${name} state ready`]],
  [
    'it comes back from maintenance',
    [known],
    [{ ...up, state: 'MAINT (via fleet/other)' }],
    chosen,
    [`set server fleet/${name} state ready`],
  ],
  [
    'it leaves while it streams',
    [],
    [{ ...up, connections: 2 }],
    chosen,
    [`fleet remove ${name}`, `set server fleet/${name} state drain`],
  ],
  [
    'its streams have ended',
    [],
    [{ ...up, state: 'DRAIN' }],
    [],
    [
      `fleet remove ${name}`,
      `set server fleet/${name} state maint`,
      `del server fleet/${name}`,
      `del ssl ca-file ${name}.pem`,
    ],
  ],
  [
    'it is in maintenance already',
    [],
    [{ ...up, state: 'MAINT (via fleet/other)' }],
    [],
    [`fleet remove ${name}`, `del server fleet/${name}`, `del ssl ca-file ${name}.pem`],
  ],
])('%s', (_, wanted, servers, lines, changes) => {
  expect(changesOf(wanted, servers, lines)).toEqual(changes)
})

it.each<Partial<Copilot>>([{ host: '192.0.2.8' }, { slots: 2 }, { ca: 'other' }, { model: 'b' }])(
  'replaces a server whose copilot has changed: %o',
  changes => {
    const lines = changesOf([copilot(changes)], [up], chosen)
    expect(lines).toContain(`fleet remove ${name}`)
    expect(lines.find(line => line.startsWith('add server'))).not.toContain(`fleet/${name} `)
  },
)

it('names a model for a copilot that has none', () => {
  expect(changesOf([copilot({ model: '' })], [], []).at(-1)).toMatch(/^fleet set \S+ 4 [0-9]+ - [?]$/)
})

it('keeps a copilot’s place when it changes', () => {
  const seed = (one: Copilot) => changesOf([one], [], []).at(-1)?.split(' ')[4]
  expect(seed(copilot({ host: '192.0.2.9', slots: 2 }))).toBe(seed(known))
  expect(seed(copilot({ name: 'other' }))).not.toBe(seed(known))
})

it.each(['a b', 'x;del', 'x\ny', 'ünï'])('lets a name %j end no command', odd => {
  for (const line of changesOf([copilot({ name: odd, model: odd, ca: undefined })], [], []))
    expect(line).toMatch(/^[ -:<-~]+$/)
})

it.each([
  ['my copilot, the 2nd', 'my-copilot--the-2nd'],
  ['a.b-c', 'a.b-c'],
  ['x'.repeat(41), 'x'.repeat(40)],
])('calls a copilot named %j by what HAProxy takes', (named, expected) => {
  expect(serverName(copilot({ name: named }))).toMatch(new RegExp(`^${expected}_[0-9a-f]{8}$`))
})

it('calls a model by what HAProxy takes', () => {
  expect(changesOf([copilot({ model: 'my model; v2' })], [], []).at(-1)).toMatch(/ my-model--v2( |$)/)
})

it.each(['', '\n', '# pxname,svname,scur,status,type,\n'])('reads no servers from %j', text => {
  expect(serversIn(text)).toEqual([])
})

it('reads HAProxy’s servers', () => {
  const text = `# pxname,svname,scur,status,type,
fleet,one,3,UP,2,
fleet,BACKEND,3,UP,1,
other,two,1,UP,2,
fleet,three,0,DOWN 1/2,2,
`
  expect(serversIn(text)).toEqual([
    { name: 'one', connections: 3, state: 'UP' },
    { name: 'three', connections: 0, state: 'DOWN 1/2' },
  ])
  expect(serversIn(`\n${text}`)).toEqual(serversIn(text))
})

it('reads HAProxy’s servers whatever the first column is', () => {
  expect(serversIn('# type,status,scur,svname,pxname,\n2,UP,0,one,fleet,\n')).toEqual([
    { name: 'one', connections: 0, state: 'UP' },
  ])
})
