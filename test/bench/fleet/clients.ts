/** Requests as a router's edge proxy sends them to HAProxy: what was refused or has failed is sent again. */
import { randomUUID } from 'node:crypto'
import { type Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { finalStatuses } from '../../../lib/appliance/requests/api.ts'
import type { Haproxy } from './policies.ts'

/** `machine`: the port of the one that has answered. */
export type Reply = { status: number; computed?: number; machine?: number }

/** In place of a status: the answer had begun, and is not repeated. */
const cutOff = 0

type Asked = { id: string; session: string; tokens: number }

function send(socketPath: string, { id, session, tokens }: Asked, agent: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = {
      'x-request-id': id,
      'x-session': session,
      'x-copilot-session': session,
      'x-tokens': tokens,
    }
    const sent = request(
      { socketPath, path: '/v1/chat/completions', method: 'POST', headers, agent },
      response => {
        const { statusCode: status = 0 } = response
        text(response).then(
          body => resolve({ status, ...(status === 200 && JSON.parse(body)) }),
          () => resolve({ status: cutOff }),
        )
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

export const newId = () => randomUUID().replaceAll('-', '')

/** Resolves with the answer, or the last refusal: 429 if the fleet is full, 503 if none answers. */
export async function ask(haproxy: Haproxy, asked: Asked, agent: Agent): Promise<Reply> {
  let reply: Reply = { status: 502 }
  for (let attempt = 0; attempt < haproxy.attempts; attempt += 1) {
    const socket = attempt === 0 ? haproxy.socket : haproxy.repeatedSocket
    reply = await send(socket, asked, agent).catch(() => ({ status: 502 }))
    if (reply.status === finalStatuses.full) return { status: 429 }
    if (reply.status === finalStatuses.none) return { status: 503 }
    if (![429, 502, 503].includes(reply.status)) return reply
  }
  return reply
}
