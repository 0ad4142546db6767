/** A real completion by a real llama-server, before the bake may succeed. */

import { healthUrl, modelPath, paths, users } from '../../appliance/paths.ts'
import { stackLimit } from '../../appliance/requests/size.ts'
import { loadTimeout } from '../../appliance/services/restarts.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { llamaSettings } from '../../render/units/llama.ts'
import type { Host } from '../../system/host.ts'
import { isServing } from '../../system/http.ts'
import { waitFor } from '../../system/waiting.ts'

/** The program as llama-server's user, with the stack that its unit gives it. */
const asLlama = (program: string[], stack: number) => [
  'prlimit',
  `--stack=${stack}`,
  'setpriv',
  `--reuid=${users.llama}`,
  `--regid=${users.web}`,
  '--clear-groups',
  // A stage that is killed leaves no server behind.
  '--pdeathsig=KILL',
  ...program,
]

/** Throws when the binary's help does not name a setting that we will make: it would be ignored silently. */
export async function checkSettings(host: Host, settings: Record<string, string>): Promise<void> {
  if (!host.isLive) return
  const { stdout, stderr } = await host.ask([paths.llamaServer, '--help'])
  const known = new Set(`${stdout}${stderr}`.match(/LLAMA_ARG_[A-Z0-9_]+/g))
  if (known.size === 0)
    throw new Error(`${paths.llamaServer} does not run:\n${`${stdout}${stderr}`.trim().slice(-500)}`)
  const unknown = Object.keys(settings).filter(name => !known.has(name))
  if (unknown.length > 0)
    throw new Error(`this llama-server does not know ${unknown.join(', ')}: choose another release.`)
}

/** Loads the model as this plan has it and has it answer; leaves nothing behind. Throws when it does not. */
export async function prewarm(host: Host, capacity: Capacity): Promise<void> {
  const folder = paths.prewarm
  const socket = `${folder}/llama.sock`
  const settings = { ...llamaSettings(capacity), LLAMA_ARG_HOST: socket }
  if (!host.isLive) {
    await host.run(asLlama([paths.llamaServer], stackLimit(capacity)))
    return
  }
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o700)
  await host.run(['chown', `${users.llama}:${users.web}`, folder])
  const server = host.start(asLlama([paths.llamaServer], stackLimit(capacity)), settings)
  try {
    await waitFor(
      async () => {
        if (server.hasExited())
          throw new Error(`llama-server does not load ${modelPath(capacity.model.name)}:\n${server.output()}`)
        return (await isServing(host, healthUrl, socket)) || undefined
      },
      seconds => host.log.info(`Loading the model: ${seconds} s so far`),
      loadTimeout(capacity.model.size),
      'Loading the model',
    )
    const json = { messages: [{ role: 'user', content: 'Say hello.' }], max_tokens: 16 }
    const answer = await host.http({
      url: 'http://localhost/v1/chat/completions',
      socket,
      json,
      timeout: 600,
    })
    const { usage } =
      answer.status === 200 ? (JSON.parse(answer.body) as { usage?: { completion_tokens: number } }) : {}
    if (!usage?.completion_tokens)
      throw new Error(`llama-server answered ${answer.status}: ${answer.body.slice(0, 300)}`)
    host.log.info(`llama-server answered with ${usage.completion_tokens} tokens`)
  } finally {
    await server.stop()
    host.files.remove(folder)
  }
}
