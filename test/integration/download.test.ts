/** Downloads by the real aria2 from a server that hangs up, is gone, or sends something else. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { DigestError, type Download, download, type Progress } from '../../lib/system/download.ts'
import { openHost } from '../../lib/system/host.ts'
import { type SlowServer, startSlowServer } from '../mirror/slow-server.ts'
import { recordedHost } from '../recorded-host.ts'

const MB = 1_000_000
const file = randomBytes(24 * MB)
const path = '/models/a.gguf'
const sha256 = createHash('sha256').update(file).digest('hex')

let server: SlowServer
afterEach(() => server.close())

/** This machine, with a folder for its root. */
const newHost = () => {
  const { run, ask } = openHost({ env: {} })
  return recordedHost({ run, ask })
}
const wanted = (overrides: Partial<Download> = {}): Download => ({
  url: `${server.url}/a.gguf`,
  size: file.length,
  sha256,
  path,
  ...overrides,
})

async function until(condition: () => boolean) {
  while (!condition()) await setTimeout(50)
}

it('goes on where the server hung up, and appears at its name only when it is whole', async () => {
  server = await startSlowServer({ '/a.gguf': file }, 2 * MB)
  const host = newHost()
  const done = download(host, wanted())
  await until(() => server.sent() > 6 * MB)
  expect(existsSync(host.files.at(path))).toBe(false)
  server.hangUp()
  server.setSpeed(100 * MB)
  await done
  expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
  expect(host.files.status(path)?.mode).toBe(0o644)
  expect(server.asked.at(0)?.from).toBe(0)
  expect(server.asked.at(-1)?.from).toBeGreaterThan(4 * MB)
  expect(server.sent()).toBeLessThan(file.length + 6 * MB)
})

it('goes on after aria2 was killed, in another run', async () => {
  server = await startSlowServer({ '/a.gguf': file }, 1 * MB)
  const host = newHost()
  const heard: Progress[] = []
  const killed = download(host, wanted(), progress => heard.push(progress)).catch((error: Error) => error)
  await until(() => server.sent() > 12 * MB)
  const { stdout } = await openHost({ env: {} }).ask(['pgrep', '--full', `aria2c.*${server.url}`])
  process.kill(Number(stdout), 'SIGKILL')
  expect(String(await killed)).toMatch(/did not come: aria2 was ended by signal 9\. What has come is kept/)
  expect(heard.at(0)?.percent).toBeGreaterThan(10)
  expect(heard.at(0)?.secondsLeft).toBeGreaterThan(5)
  expect(existsSync(host.files.at(path))).toBe(false)

  server.asked.length = 0
  server.setSpeed(100 * MB)
  await download(host, wanted())
  expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
  expect(Math.max(...server.asked.map(({ from }) => from))).toBeGreaterThan(4 * MB)
})

it('throws away what is not what it should be', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const host = newHost()
  const failed = await download(host, wanted({ sha256: '0'.repeat(64) })).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(DigestError)
  expect(failed).toMatchObject({ wasResumed: false, message: expect.stringContaining(sha256) })
  expect(host.files.list('/models')).toEqual([])
})

it('says that a wrong one was put together from several attempts, which a power cut may have spoilt', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const host = newHost()
  host.files.makeFolder('/models')
  writeFileSync(host.files.at(`${path}.part`), randomBytes(5 * MB))
  expect(await download(host, wanted()).catch((error: unknown) => error)).toMatchObject({ wasResumed: true })
  await download(host, wanted())
  expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
})

it('asks for nothing where the disk is too small', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const size = 10 ** 15
  await expect(download(newHost(), wanted({ size }))).rejects.toThrow(
    /needs 1000000\.5 GB more, and its disk has .* left/,
  )
  expect(server.asked).toEqual([])
})

it('says what the server has not', async () => {
  server = await startSlowServer({})
  const missing = download(newHost(), wanted())
  await expect(missing).rejects.toThrow(/a\.gguf did not come: the server has no such file/)
})
