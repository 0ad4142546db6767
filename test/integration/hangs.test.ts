/** The watchdog's verdict on the real llama-server and admission proxy, hung or busy in several ways. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
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

/** Each test has a stack of its own. */
const it = test.extend<{ stack: Stack }>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest wants a pattern.
  stack: async ({}, use) => {
    const stack = await startStack({})
    await use(stack)
    for (const pid of [stack.llamaPid(), stack.admissionPid(), ...(stack.admissionWorkers() ?? [])])
      if (pid !== undefined) process.kill(pid, 'SIGCONT')
    await stack.close()
  },
})

/** This machine, with the stack's processes in place of systemd units. */
function hostOf(stack: Stack): Host {
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
async function watch(
  stack: Stack,
  name: 'llama' | 'admission',
  seconds: number,
  timeout = 1,
): Promise<Judgement[]> {
  const judgements: Judgement[] = []
  let history: History | undefined
  const start = Date.now()
  while (Date.now() - start < seconds * 1000) {
    const judgement = judge(history, await observe(hostOf(stack), watched[name], timeout), bounds, Date.now())
    if (judgement === undefined) throw new Error(`${name} does not run`)
    judgements.push(judgement)
    history = judgement.history
    if (judgement.verdict === 'hung' || judgement.verdict === 'ask for a token') break
    await sleep(500)
  }
  return judgements
}

/** Of both at the same time, for this many seconds. */
const verdictsOnBoth = async (stack: Stack, seconds: number) =>
  (await Promise.all([watch(stack, 'llama', seconds), watch(stack, 'admission', seconds)]))
    .flat()
    .map(({ verdict }) => verdict)

const problemOf = async (stack: Stack, name: 'llama' | 'admission') => {
  const last = (await watch(stack, name, 45)).at(-1)
  return last?.verdict === 'hung' ? last.problem : `${last?.verdict}`
}

/** A generation through the admission proxy that lasts until the end of the test. */
const generate = (stack: Stack, prompt: string) => {
  const json = { prompt, max_tokens: 100_000, ignore_eos: true, stream: true }
  http({ url: 'http://x/v1/completions', socket: stack.admissionSocket, json, timeout: 60 }).catch(() => {})
}

describe('is left alone', () => {
  it('idle', async ({ stack }) => {
    expect(await verdictsOnBoth(stack, 4)).not.toContain('hung')
  })

  it('with all slots generating: the admission proxy rejects more, the queue answers', async ({ stack }) => {
    generate(stack, 'Hi')
    generate(stack, 'Ho')
    await sleep(500)
    const third = {
      url: 'http://x/v1/completions',
      socket: stack.admissionSocket,
      json: { prompt: 'Hu' },
      timeout: 5,
    }
    expect((await http(third)).status).toBe(429)
    expect(await verdictsOnBoth(stack, 6)).not.toContain('hung')
  })

  it('while a prompt is computed, although no answer comes in time', async ({ stack }) => {
    generate(stack, 'word '.repeat(30_000))
    await sleep(200)
    const judgements = await watch(stack, 'llama', 8, 0.002)
    expect(judgements.map(({ history }) => history.silentSince).filter(Boolean).length).toBeGreaterThan(2)
    expect(judgements.map(({ verdict }) => verdict)).not.toContain('hung')
  })

  it('with idle connections: it generates the token that it is asked for', async ({ stack }) => {
    for (let count = 0; count < 2; count += 1) {
      const socket = connect(stack.socket)
      onTestFinished(() => void socket.destroy())
      await once(socket, 'connect')
      socket
        .on('error', () => {})
        .write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{')
    }
    await sleep(200)
    const judgements = await watch(stack, 'llama', 30)
    expect(judgements.at(-1)?.verdict, JSON.stringify(judgements)).toBe('ask for a token')
    expect(await generatesToken(hostOf(stack))).toBe(true)
  })
})

// They wait for the watchdog most of the time.
describe.concurrent('has hung', () => {
  it('llama-server, stopped by a signal', async ({ stack }) => {
    process.kill(stack.llamaPid() as number, 'SIGSTOP')
    expect(await problemOf(stack, 'llama')).toBe('was stopped by a signal')
    // The admission proxy waits for it, but has not hung itself.
    process.kill(stack.llamaPid() as number, 'SIGCONT')
  })

  it('llama-server, its main loop stuck, although /health answers', async ({ stack }) => {
    const pid = String(stack.llamaPid())
    const stuck = ['-e', 'trace=futex', '-e', 'inject=futex:delay_enter=120000000']
    const tracer = watchProcess(
      spawn('strace', ['-o', '/dev/null', ...stuck, '-p', pid], { stdio: 'ignore' }),
    )
    await sleep(500)
    expect(await problemOf(stack, 'llama')).toBe('stopped answering')
    expect((await http({ url: 'http://x/health', socket: stack.socket, timeout: 5 })).status).toBe(200)
    await tracer.stop()
  })

  // Its signal handler waits for a lock that the interrupted thread often, but not always, holds.
  it('llama-server, deadlocked by SIGTERM while it generates (v0.5.0)', async ({ stack }) => {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      generate(stack, 'Hi')
      await sleep(400)
      process.kill(stack.llamaPid() as number, 'SIGTERM')
      await sleep(3000)
      if (stack.llamaRuns()) break
      await stack.stopLlama()
      await stack.startLlama()
    }
    expect(stack.llamaRuns()).toBe(true)
    expect(await problemOf(stack, 'llama')).toMatch(/^(stopped answering|stopped listening on its socket)$/)
  })

  it('llama-server, its socket removed', async ({ stack }) => {
    rmSync(stack.socket)
    expect(await problemOf(stack, 'llama')).toBe('stopped listening on its socket')
  })

  it('the admission proxy, its socket removed', async ({ stack }) => {
    rmSync(stack.admissionSocket)
    expect(await problemOf(stack, 'admission')).toBe('stopped listening on its socket')
    expect((await watch(stack, 'llama', 2)).at(-1)?.verdict).toBe('healthy')
  })

  for (const which of ['master', 'worker'] as const)
    it(`the admission proxy, its ${which} stopped by a signal`, async ({ stack }) => {
      const pid = which === 'master' ? stack.admissionPid() : stack.admissionWorkers()[0]
      process.kill(pid as number, 'SIGSTOP')
      expect(await problemOf(stack, 'admission')).toBe('was stopped by a signal')
    })
})
