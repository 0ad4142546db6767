/**
 * Checks whether clients are served, by requests along their path that take no slot. Generating one token
 * would evict a conversation from its slot, which, if the prompt cache in RAM is small, then takes minutes to
 * recompute.
 */
import { paths, ports, queueUrl, units } from '../../appliance/paths.ts'
import { ownHeaders } from '../../appliance/usage/log-format.ts'
import type { Host } from '../../system/host.ts'
import type { HttpAnswer, ServerTrust } from '../../system/http.ts'

/** Seconds. llama-server handles its queue after each batch, which takes half a minute on a slow CPU. */
const timeout = 60

/** Seconds. A single slow answer, from a machine whose CPUs are all busy, must not withdraw READY. */
const healthTimeout = 10

/** As long as an agent's first prompt, and longer than nginx's default body buffer. */
const text = 'word '.repeat(13_000)

/** Why clients are not served, as a sentence; undefined if they are. A busy appliance (429) serves. */
export async function serviceProblem(
  host: Host,
  access: ServerTrust & { key: string },
): Promise<string | undefined> {
  return (await edgeProblem(host, access)) ?? (await queueProblem(host))
}

/**
 * As `serviceProblem`, by a request for `/health`, which needs no key: it passes all services, but not
 * llama-server's queue.
 */
export async function healthProblem(host: Host, trust: ServerTrust): Promise<string | undefined> {
  const url = `https://127.0.0.1:${ports.https}/health`
  return problemOf(units.nginx, url, () => host.http({ ...trust, url, timeout: healthTimeout }))
}

/** Sends an agent-sized request with the key, which tests TLS, admission, buffering and llama-server's tokenizer. */
function edgeProblem(
  host: Host,
  { key, ...trust }: ServerTrust & { key: string },
): Promise<string | undefined> {
  const url = `https://127.0.0.1:${ports.https}/tokenize`
  const headers = { ...ownHeaders, authorization: `Bearer ${key}` }
  const ask = () => host.http({ ...trust, url, headers, json: { content: text }, timeout })
  return problemOf(units.nginx, url, ask)
}

/** Sends a request through the admission proxy that waits in llama-server's queue like a generation. */
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
    if (status === 503 && body.includes('"loading"')) return 'The model is loading.'
    return `${unit} answered ${status} at ${at}: ${body.slice(0, 200)}`
  } catch (error) {
    return `${unit} did not answer at ${at}: ${(error as Error).message}.`
  }
}
