/** Lines of the request log for tests, in both forms. */
import { logFields } from '../../lib/appliance/usage/log-format.ts'

type Name = (typeof logFields)[number]['name']
type Values = Partial<Record<Name, string | number | undefined>>

const usual: Values = {
  time: '2026-02-14T09:30:00+00:00',
  id: '0123456789abcdef0123456789abcdef',
  address: '192.0.2.1',
  tenant: 'alice',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  bytes: 1234,
  first_byte: 0.25,
  total: 1.5,
  slot_wait: 0.01,
  client: 'opencode',
  limit: '-',
}

export const textLine = (changes: Values): string =>
  logFields.map(({ name }) => `${name}=${{ ...usual, ...changes }[name] ?? '-'}`).join(' ')

export const jsonLine = (changes: Values): string => {
  const values = { ...usual, ...changes }
  return JSON.stringify(Object.fromEntries(logFields.map(({ name }) => [name, values[name] ?? null])))
}
