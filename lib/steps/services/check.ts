/**
 * Whether clients are served: asked by their way, without a slot. One token would do as well and costs a conversation its
 * slot, and where little memory is left to set prompts aside minutes of computing it again.
 */
import { paths, ports, queueUrl, units } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'
import type { HttpAnswer } from '../../system/http.ts'

/** How nginx's certificate is verified, and the key. */
export type Access = { ca?: string | undefined; serverName?: string | undefined; key: string }

/** Seconds: llama-server's queue is looked at after each batch, half a minute on a slow CPU. */
const timeout = 60

/** As long as an agent's first prompt, and longer than nginx keeps in memory by default. */
const text = 'word '.repeat(13_000)

/** What stands in the way, a sentence; undefined where nothing does. A full house serves. */
export async function serviceProblem(host: Host, access: Access): Promise<string | undefined> {
  return (await edgeProblem(host, access)) ?? (await queueProblem(host))
}

/** A request of an agent's size, with the key: TLS, admission, the body, llama-server's tokenizer. */
function edgeProblem(host: Host, { key, ...trust }: Access): Promise<string | undefined> {
  const url = `https://127.0.0.1:${ports.https}/tokenize`
  const headers = { authorization: `Bearer ${key}` }
  const ask = () => host.http({ ...trust, url, headers, json: { content: text }, timeout })
  return problemOf(units.nginx, url, ask)
}

/** A question by the admission proxy's way that waits in llama-server's queue, as a generation does. */
function queueProblem(host: Host): Promise<string | undefined> {
  const ask = () => host.http({ url: queueUrl, socket: host.files.at(paths.admissionSocket), timeout })
  return problemOf(units.admission, paths.admissionSocket, ask)
}

async function problemOf(
  unit: string,
  at: string,
  ask: () => Promise<HttpAnswer>,
): Promise<string | undefined> {
  try {
    const { status, body } = await ask()
    if (status === 200 || status === 429) return undefined
    return `${unit} answered ${status} at ${at}: ${body.slice(0, 200)}`
  } catch (error) {
    return `${unit} did not answer at ${at}: ${(error as Error).message}.`
  }
}
