/** The bake's test of llama-server: it must load the model and answer with a completion. */

import { healthUrl, modelPath, paths, users } from '../../appliance/paths.ts'
import { stackLimit } from '../../appliance/requests/size.ts'
import { loadTimeout } from '../../appliance/services/restarts.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { llamaSettings } from '../../render/units/llama.ts'
import type { Host } from '../../system/host.ts'
import { respondsOk } from '../../system/http.ts'
import { type Running, tailOf } from '../../system/shell.ts'
import { waitFor } from '../../system/waiting.ts'

/** Runs llama-server with its unit's user, group and stack limit; it dies with the stage. */
const asLlama = (stack: number) => [
  ...['prlimit', `--stack=${stack}`],
  ...['setpriv', `--reuid=${users.llama}`, `--regid=${users.web}`, '--clear-groups', '--pdeathsig=KILL'],
]

/** Throws if llama-server's help lacks one of our settings, which it would silently ignore. */
export async function checkSettings(
  host: Host,
  settings: Record<string, string>,
  server: string = paths.llamaServer,
): Promise<void> {
  const { stdout, stderr } = await host.query`${server} --help`.nothrow()
  const known = new Set(`${stdout}${stderr}`.match(/LLAMA_ARG_[A-Z0-9_]+/g))
  if (known.size === 0)
    throw new Error(`${server} cannot be run:\n${`${stdout}${stderr}`.trim().slice(-500)}`)
  const unknown = Object.keys(settings).filter(name => !known.has(name))
  if (unknown.length > 0)
    throw new Error(`this llama-server does not support ${unknown.join(', ')}: choose another release.`)
}

/** Loads the model as planned and requests a completion, then stops llama-server. Throws if there is no answer. */
export async function prewarm(host: Host, capacity: Capacity): Promise<void> {
  const folder = paths.prewarm
  const socket = `${folder}/llama.sock`
  const env = { ...llamaSettings(capacity), LLAMA_ARG_HOST: socket }
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o700)
  await host.$`chown ${users.llama}:${users.web} ${folder}`
  const server = host.$({ env })`${asLlama(stackLimit(capacity))} ${paths.llamaServer}`.nothrow()
  try {
    await untilLoaded(host, server, socket, capacity)
    const tokens = await completionTokens(host, socket)
    host.log.info(`llama-server answered with ${tokens} tokens`)
  } finally {
    await server.kill()
    host.files.remove(folder)
  }
}

async function untilLoaded(host: Host, server: Running, socket: string, { model }: Capacity): Promise<void> {
  const poll = async () => {
    const output = server.output()
    if (output !== undefined)
      throw new Error(`llama-server could not load ${modelPath(model.name)}:\n${tailOf(output)}`)
    return (await respondsOk(host, healthUrl, socket)) || undefined
  }
  const report = (seconds: number) => host.log.info(`Loading the model: ${seconds} s so far`)
  await waitFor(poll, report, loadTimeout(model.size), 'Loading the model')
}

/** Requests a completion and returns its number of tokens. Throws if there are none. */
async function completionTokens(host: Host, socket: string): Promise<number> {
  const json = { messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 16 }
  const { status, body } = await host.http({
    url: 'http://localhost/v1/chat/completions',
    socket,
    json,
    timeout: 600,
  })
  const { usage } = status === 200 ? (JSON.parse(body) as { usage?: { completion_tokens: number } }) : {}
  if (!usage?.completion_tokens) throw new Error(`llama-server answered ${status}: ${body.slice(0, 300)}`)
  return usage.completion_tokens
}
