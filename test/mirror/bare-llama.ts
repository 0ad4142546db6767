/** llama-server without the proxies, on its own socket, with any settings, arguments and build. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stackLimit } from '../../lib/appliance/requests/size.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { http, respondsOk } from '../../lib/system/http.ts'
import { watch } from '../../packer/build/watch.ts'
import { llamaRelease } from './llama-release.ts'

export type BareLlama = {
  pid: number | undefined
  socket: string
  runs(): boolean
  /** Its log so far. */
  output(): string
  /** Posts a JSON body and returns the parsed response. Rejects with the response if its status is not 200. */
  post(path: string, json: object): Promise<unknown>
  stop(): Promise<void>
}

/** Unpacks the release to a temporary folder, optionally without the libraries for some CPU types. */
export async function unpackedLlama(without: string[] = []): Promise<{ program: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-llama-'))
  execFileSync('tar', ['-xf', await llamaRelease(), '-C', folder, '--strip-components=1'])
  for (const kind of without) rmSync(join(folder, `libggml-cpu-${kind}.so`))
  return {
    program: join(folder, 'llama-server'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Bytes of stack that the appliance's unit gives each thread for a context of up to 65536 tokens. */
const usualStack = stackLimit({ contextSize: 65_536, memoryLimit: GiB })

/**
 * Starts llama-server and resolves once the model is loaded. `settings`: environment variables; `flags`: options that
 * have no variable; `stack`: bytes per thread.
 */
export async function startBareLlama(
  program: string,
  settings: Record<string, string>,
  flags: string[] = [],
  stack: number = usualStack,
): Promise<BareLlama> {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-bare-'))
  const socket = join(folder, 'llama.sock')
  const server = watch(
    spawn('prlimit', [`--stack=${stack}`, program, ...flags], {
      env: { LLAMA_ARG_HOST: socket, LLAMA_ARG_OFFLINE: '1', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  await server.until(() => respondsOk({ http }, 'http://x/health', socket))
  return {
    pid: server.pid,
    socket,
    runs: server.runs,
    output: server.output,
    post: async (path, json) => {
      const { status, body } = await http({ url: `http://x${path}`, socket, json, timeout: 600 })
      if (status !== 200) throw new Error(`llama-server answered ${path} with ${status}: ${body}`)
      return JSON.parse(body)
    },
    stop: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
