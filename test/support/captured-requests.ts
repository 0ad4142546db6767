/** Requests as coding clients send them, recorded without their prompts in test/lib/edge/clients/. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type CapturedRequest = { path: string; request: Record<string, unknown> }

const folder = join(import.meta.dirname, '../lib/edge/clients')

/** The requests of a client. */
export const capturedFrom = (client: string): CapturedRequest[] =>
  JSON.parse(readFileSync(join(folder, `${client}.json`), 'utf8'))

/** The clients whose requests are recorded. */
export const capturedClients = readdirSync(folder).map(name => name.replace(/\.json$/, ''))
