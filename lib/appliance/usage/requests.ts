/** One line of the request log, parsed. */
import { logFields, ownClient, type RequestLimit, requestLimits, unknown } from './log-format.ts'

export type LoggedRequest = {
  /** Milliseconds since the epoch. */
  at: number
  /** The VM's date, `2026-02-14`. */
  day: string
  id: string
  address: string
  /** The name of the key; undefined if there was no valid one. */
  tenant: string | undefined
  method: string
  path: string
  status: number
  bytes: number
  /** Seconds until the first byte of the answer's content, until its end, and until a slot was free. */
  firstByte: number | undefined
  total: number
  slotWait: number | undefined
  client: string
  /** The limit that it exceeded. */
  limit: RequestLimit | undefined
}

type LogFieldName = (typeof logFields)[number]['name']
type LogValues = Record<LogFieldName, unknown>

const textLine = new RegExp(`^${logFields.map(({ name }) => `${name}=(?<${name}>\\S+)`).join(' ')}$`)

/** The values of a line in either form; undefined if it is neither, e.g. cut off. */
function valuesOf(line: string): LogValues | undefined {
  if (!line.startsWith('{')) return textLine.exec(line)?.groups as LogValues | undefined
  try {
    const values = JSON.parse(line) as LogValues
    return logFields.every(({ name }) => name in values) ? values : undefined
  } catch {
    return undefined
  }
}

const word = (value: unknown) => (value === unknown ? undefined : String(value))
const number = (value: unknown) => (value === unknown || value === null ? undefined : Number(value))

const isLimit = (name: string | undefined): name is RequestLimit =>
  name !== undefined && Object.hasOwn(requestLimits, name)

/** Parses a line in either form; undefined if it is not a complete line of this version's. */
export function parseRequest(line: string): LoggedRequest | undefined {
  const values = valuesOf(line)
  if (values === undefined) return undefined
  const [at, limit] = [Date.parse(String(values.time)), word(values.limit)]
  const [status, bytes, total] = [number(values.status), number(values.bytes), number(values.total)]
  if (Number.isNaN(at) || !status || bytes === undefined || total === undefined) return undefined
  return {
    at,
    day: String(values.time).slice(0, 10),
    id: String(values.id),
    address: String(values.address),
    tenant: word(values.tenant),
    method: String(values.method),
    path: String(values.path),
    status,
    bytes,
    firstByte: number(values.first_byte),
    total,
    slotWait: number(values.slot_wait),
    client: String(values.client),
    limit: isLimit(limit) ? limit : undefined,
  }
}

/** Whether the appliance sent it to itself. */
export const isOwn = ({ address, client }: Pick<LoggedRequest, 'address' | 'client'>) =>
  client === ownClient && address === '127.0.0.1'
