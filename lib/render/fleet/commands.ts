/** Commands of HAProxy's runtime API (management.txt, 9.3) by which a fleet's changes reach it while it runs. */
import { createHash } from 'node:crypto'
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import { servicesText } from '../../appliance/fleet/services.ts'
import { hostInUrl } from '../../appliance/names.ts'

/** A server in HAProxy: its name, connections, and state, such as `UP`, `DOWN`, `MAINT` or `DRAIN`. */
export type HaproxyServer = { name: string; connections: number; state: string }

const digest = (text: string) => createHash('sha256').update(text).digest('hex')

/**
 * HAProxy's name for a copilot. A server cannot be changed while HAProxy runs: a copilot with another address, CA,
 * model or number of slots is a new server.
 */
export const serverName = (copilot: Copilot): string => {
  const { name, host, port, ca, serverName: expected, slots, model } = copilot
  const plain = name.replace(/[^A-Za-z0-9.-]/g, '-').slice(0, 40)
  return `${plain}_${digest(JSON.stringify([host, port, ca, expected, slots, model])).slice(0, 8)}`
}

/** 48 bits that decide the copilot's place in each session's order. */
const seedOf = ({ name }: Copilot): number => Number.parseInt(digest(name).slice(0, 12), 16)

/** Connections of a server beyond its slots, for requests that take none: token counts, and services beside chat. */
export const spare = 8

/**
 * Seconds after which half of the connections that are not needed are closed. The last of many is closed before a
 * copilot's nginx does it (keepalive_timeout).
 */
const keepAlive = 10

const addressOf = ({ host, port }: Copilot) => `${hostInUrl(host)}:${port}`

/** Without white space and semicolons, which end HAProxy's words and commands. */
const word = (text: string) => text.replace(/[^A-Za-z0-9._:/@+-]/g, '-')

/** The commands that add a copilot. */
function additionOf(copilot: Copilot): string[] {
  const server = serverName(copilot)
  const path = `fleet/${server}`
  const file = `${server}.pem`
  const { ca, serverName: expected } = copilot
  const connections = copilot.slots + spare
  const tls = [
    'ssl verify required',
    `ca-file ${ca === undefined ? '@system-ca' : file}`,
    ...(expected === undefined ? [] : [`verifyhost ${word(expected)} sni str(${word(expected)})`]),
  ]
  return [
    ...(ca === undefined ? [] : [`new ssl ca-file ${file}`, `set ssl ca-file ${file} <<\n${payload(ca)}\n`]),
    ...(ca === undefined ? [] : [`commit ssl ca-file ${file}`]),
    `add server ${path} ${addressOf(copilot)} ${tls.join(' ')} maxconn ${connections} pool-max-conn ${connections} pool-purge-delay ${keepAlive}s maxqueue 1 check check-ssl inter 2s fall 2 rise 1`,
    `enable health ${path}`,
    `enable server ${path}`,
  ]
}

/** Without empty lines, the first of which would end a payload. */
const payload = (pem: string) => pem.split('\n').filter(Boolean).join('\n')

/** `completion=NAME,embeddings=NAME`; `-` if there is none, `?` if that is unknown. */
const servicesWord = ({ services }: Copilot): string => {
  if (services === undefined) return '?'
  const words = Object.entries(services).map(([kind, model]) => [kind, word(model)])
  return servicesText(Object.fromEntries(words), ',') || '-'
}

/** Makes the program in HAProxy choose the server, too. */
const choiceOf = (copilot: Copilot): string =>
  `fleet set ${serverName(copilot)} ${copilot.slots} ${seedOf(copilot)} ${word(copilot.model) || '-'} ${servicesWord(copilot)}`

/**
 * The commands that turn what HAProxy has into what is wanted. Servers that are no longer wanted get no new requests;
 * they are deleted once their streams have ended, which a later run sees. `chosen`: the lines of `fleet list`.
 */
export function changesOf(wanted: Copilot[], servers: HaproxyServer[], chosen: string[]): string[] {
  const known = new Map(servers.map(server => [server.name, server]))
  const names = new Set(wanted.map(serverName))
  return [
    ...servers.filter(({ name }) => !names.has(name)).flatMap(removalOf),
    ...wanted.flatMap(copilot => {
      const server = known.get(serverName(copilot))
      if (server === undefined) return [...additionOf(copilot), choiceOf(copilot)]
      const isOff = /^(MAINT|DRAIN)/.test(server.state)
      const choice = choiceOf(copilot)
      return [
        ...(isOff ? [`set server fleet/${server.name} state ready`] : []),
        ...(chosen.includes(choice.replace('fleet set ', '')) ? [] : [choice]),
      ]
    }),
  ]
}

const removalOf = ({ name, connections, state }: HaproxyServer): string[] => [
  `fleet remove ${name}`,
  ...(connections > 0
    ? [`set server fleet/${name} state drain`]
    : [
        ...(state.startsWith('MAINT') ? [] : [`set server fleet/${name} state maint`]),
        `del server fleet/${name}`,
        `del ssl ca-file ${name}.pem`,
      ]),
]

/** The servers in HAProxy's answer to `show stat` (management.txt, 9.1). */
export function serversIn(text: string): HaproxyServer[] {
  const [head = '', ...lines] = text.split('\n').filter(Boolean)
  const columns = head.replace(/^# /, '').split(',')
  const value = (line: string, name: string) => line.split(',')[columns.indexOf(name)] ?? ''
  return lines
    .filter(line => value(line, 'pxname') === 'fleet' && value(line, 'type') === '2')
    .map(line => ({
      name: value(line, 'svname'),
      connections: Number(value(line, 'scur')),
      state: value(line, 'status'),
    }))
}
