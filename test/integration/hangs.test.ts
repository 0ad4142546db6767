/** The watchdog's verdict on the real llama-server and admission proxy, hung or busy in several ways. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { paths, units } from '../../lib/appliance/paths.ts'
import { type History, type Judgement, judge } from '../../lib/appliance/services/watchdog.ts'
import { generatesToken, observe, watched } from '../../lib/steps/services/watchdog.ts'
import { type Host, openHost } from '../../lib/system/host.ts'
import { http } from '../../lib/system/http.ts'
import { answering, shell } from '../../lib/system/shell.ts'
import { watch as watchProcess } from '../../packer/build/watch.ts'
import { type Stack, startStack } from './support/stack.ts'

/** Seconds, a fifteenth of the appliance's. */
const bounds = { silence: 2, runaway: 60, absence: 2, loading: 60, waiting: 3 }

let stack: Stack
const open: Socket[] = []

beforeEach(async () => {
  stack = await startStack({})
})
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  for (const pid of [stack.llamaPid(), stack.admissionPid(), ...(stack.admissionWorkers() ?? [])])
    if (pid !== undefined) process.kill(pid, 'SIGCONT')
  await stack.close()
})

/** This machine, with the stack's processes in place of systemd units. */
function host(): Host {
  const live = openHost({ env: {} })
  const moved: Record<string, string> = {
    [paths.socket]: stack.socket,
    [paths.admissionSocket]: stack.admissionSocket,
  }
  const pids: Record<string, number | undefined> = {
    [units.llama]: stack.llamaPid(),
    [units.admission]: stack.admissionPid(),
  }
  return {
    ...live,
    files: { ...live.files, at: path => moved[path] ?? path },
    query: shell(
      answering(command => {
        const pid = pids[command.split(' ').at(-1) ?? '']
        const stdout = `ActiveState=active\nInvocationID=i${pid}\nMainPID=${pid}\nJob=0\n`
        return { exitCode: 0, stdout, stderr: '' }
      }),
    ),
  }
}

/** Watches for this many seconds, or until the verdict is that it has hung, or has to be asked for a token. */
async function watch(name: 'llama' | 'admission', seconds: number, timeout = 1): Promise<Judgement[]> {
  const judgements: Judgement[] = []
  let history: History | undefined
  const start = Date.now()
  while (Date.now() - start < seconds * 1000) {
    const judgement = judge(history, await observe(host(), watched[name], timeout), bounds, Date.now())
    if (judgement === undefined) throw new Error(`${name} does not run`)
    judgements.push(judgement)
    history = judgement.history
    if (judgement.verdict === 'hung' || judgement.verdict === 'ask for a token') break
    await sleep(500)
  }
  return judgements
}

/** Of both at the same time, for this many seconds. */
const verdictsOnBoth = async (seconds: number) =>
  (await Promise.all([watch('llama', seconds), watch('admission', seconds)]))
    .flat()
    .map(({ verdict }) => verdict)

const problemOf = async (name: 'llama' | 'admission') => {
  const last = (await watch(name, 45)).at(-1)
  return last?.verdict === 'hung' ? last.problem : `${last?.verdict}`
}

/** A generation through the admission proxy that lasts until the end of the test. */
const generate = (prompt: string) => {
  const json = { prompt, max_tokens: 100_000, ignore_eos: true, stream: true }
  http({ url: 'http://x/v1/completions', socket: stack.admissionSocket, json, timeout: 60 }).catch(() => {})
}

describe('is left alone', () => {
  it('idle', async () => {
    expect(await verdictsOnBoth(4)).not.toContain('hung')
  })

  it('with all slots generating: the admission proxy rejects more, the queue answers', async () => {
    generate('Hi')
    generate('Ho')
    await sleep(500)
    const third = {
      url: 'http://x/v1/completions',
      socket: stack.admissionSocket,
      json: { prompt: 'Hu' },
      timeout: 5,
    }
    expect((await http(third)).status).toBe(429)
    expect(await verdictsOnBoth(6)).not.toContain('hung')
  })

  it('while a prompt is computed, although no answer comes in time', async () => {
    generate('word '.repeat(30_000))
    await sleep(200)
    const judgements = await watch('llama', 8, 0.002)
    expect(judgements.map(({ history }) => history.silentSince).filter(Boolean).length).toBeGreaterThan(2)
    expect(judgements.map(({ verdict }) => verdict)).not.toContain('hung')
  })

  it('with idle connections: it generates the token that it is asked for', async () => {
    for (let count = 0; count < 2; count += 1) {
      const socket = connect(stack.socket)
      open.push(socket)
      socket.write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{')
    }
    await sleep(200)
    expect((await watch('llama', 30)).at(-1)?.verdict).toBe('ask for a token')
    expect(await generatesToken(host())).toBe(true)
  })
})

describe('has hung', () => {
  it('llama-server, stopped by a signal', async () => {
    process.kill(stack.llamaPid() as number, 'SIGSTOP')
    expect(await problemOf('llama')).toBe('was stopped by a signal')
    // The admission proxy waits for it, but has not hung itself.
    process.kill(stack.llamaPid() as number, 'SIGCONT')
  })

  it('llama-server, its main loop stuck, although /health answers', async () => {
    const pid = String(stack.llamaPid())
    const stuck = ['-e', 'trace=futex', '-e', 'inject=futex:delay_enter=120000000']
    const tracer = watchProcess(
      spawn('strace', ['-o', '/dev/null', ...stuck, '-p', pid], { stdio: 'ignore' }),
    )
    await sleep(500)
    expect(await problemOf('llama')).toBe('stopped answering')
    expect((await http({ url: 'http://x/health', socket: stack.socket, timeout: 5 })).status).toBe(200)
    await tracer.stop()
  })

  // Its signal handler waits for a lock that the interrupted thread often, but not always, holds.
  it('llama-server, deadlocked by SIGTERM while it generates (v0.5.0)', async () => {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      generate('Hi')
      await sleep(400)
      process.kill(stack.llamaPid() as number, 'SIGTERM')
      await sleep(3000)
      if (stack.llamaRuns()) break
      await stack.stopLlama()
      await stack.startLlama()
    }
    expect(stack.llamaRuns()).toBe(true)
    expect(await problemOf('llama')).toMatch(/^(stopped answering|stopped listening on its socket)$/)
  })

  it('llama-server, its socket removed', async () => {
    rmSync(stack.socket)
    expect(await problemOf('llama')).toBe('stopped listening on its socket')
  })

  it('the admission proxy, its socket removed', async () => {
    rmSync(stack.admissionSocket)
    expect(await problemOf('admission')).toBe('stopped listening on its socket')
    expect((await watch('llama', 2)).at(-1)?.verdict).toBe('healthy')
  })

  it.each(['master', 'worker'])('the admission proxy, its %s stopped by a signal', async process_ => {
    const pid = process_ === 'master' ? stack.admissionPid() : stack.admissionWorkers()[0]
    process.kill(pid as number, 'SIGSTOP')
    expect(await problemOf('admission')).toBe('was stopped by a signal')
  })
})
