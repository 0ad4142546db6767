/** Downloads by the real curl from a server that disconnects, is down, or sends something else. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { DigestError, type Download, type DownloadProgress, download } from '../../lib/system/download.ts'
import { $ } from '../../lib/system/shell.ts'
import { isProven } from '../../lib/system/verified-files.ts'
import { type SlowServer, startSlowServer } from '../mirror/slow-server.ts'
import { recordedHost } from '../support/recorded-host.ts'

const MB = 1_000_000
const file = randomBytes(24 * MB)
const path = '/models/a.gguf'
const sha256 = createHash('sha256').update(file).digest('hex')

let server: SlowServer
afterEach(() => server.close())

/** This machine, with a folder as its root. */
const newHost = () => {
  return recordedHost({ $, query: $ })
}
const wanted = (overrides: Partial<Download> = {}): Download => ({
  url: `${server.url}/a.gguf`,
  size: file.length,
  sha256,
  path,
  proofs: stateFiles.fileProofs,
  ...overrides,
})

async function until(condition: () => boolean) {
  while (!condition()) await setTimeout(50)
}

it('resumes where the server disconnected, and gets its final name only once complete', async () => {
  server = await startSlowServer({ '/a.gguf': file }, 2 * MB)
  const host = newHost()
  const done = download(host, wanted(), () => {}, { pause: 0.1 })
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

it('resumes in another run after curl was killed', async () => {
  server = await startSlowServer({ '/a.gguf': file }, 2 * MB)
  const host = newHost()
  const heard: DownloadProgress[] = []
  const killed = download(host, wanted(), progress => heard.push(progress), { reportEvery: 2 }).catch(
    (error: Error) => error,
  )
  await until(() => server.sent() > 6 * MB)
  const { stdout } = await $`pgrep --full ${`^curl.*${server.url}`}`
  const pid = Number(stdout)
  // A process ID of 0 would signal this whole process group.
  expect(pid).toBeGreaterThan(1)
  process.kill(pid, 'SIGKILL')
  expect(String(await killed)).toMatch(/Download failed: curl was killed by signal 9\. Try again/)
  expect(heard.at(0)).toMatchObject({ act: 'downloading' })
  expect(heard.at(0)?.percent).toBeGreaterThan(10)
  expect((heard.at(0) as { secondsLeft: number }).secondsLeft).toBeGreaterThan(5)
  expect(existsSync(host.files.at(path))).toBe(false)

  server.asked.length = 0
  server.setSpeed(100 * MB)
  await download(host, wanted())
  expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
  expect(Math.max(...server.asked.map(({ from }) => from))).toBeGreaterThan(4 * MB)
})

it('deletes a file with the wrong digest', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const host = newHost()
  const failed = await download(host, wanted({ sha256: '0'.repeat(64) })).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(DigestError)
  expect(failed).toMatchObject({ wasResumed: false, message: expect.stringContaining(sha256) })
  expect(host.files.list('/models')).toEqual([])
})

it.each([5 * MB, file.length, file.length + 7])(
  'starts over if the %d bytes that were there are not from this file',
  async bytes => {
    server = await startSlowServer({ '/a.gguf': file })
    const host = newHost()
    host.files.makeFolder('/models')
    writeFileSync(host.files.at(`${path}.part`), randomBytes(bytes))
    await download(host, wanted())
    expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
    expect(server.asked.at(-1)?.from).toBe(0)
  },
)

it('does not download a verified file again, and recomputes the digest of a modified one', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const host = newHost()
  await download(host, wanted())
  expect(host.lines.filter(line => line.startsWith('Verifying'))).toHaveLength(1)
  const touches: [string, () => void, number][] = [
    ['nothing', () => {}, 1],
    ['another time', () => utimesSync(host.files.at(path), 1, 1), 1],
    ['a copy of the same bytes', () => replaceBy(host.files.at(path), file), 1],
    ['no proof', () => host.files.remove(stateFiles.fileProofs.path), 1],
    ['a damaged record of digests', () => writeFileSync(host.files.at(stateFiles.fileProofs.path), '{'), 1],
    ['other bytes of the same size', () => replaceBy(host.files.at(path), randomBytes(file.length)), 2],
    ['fewer bytes', () => replaceBy(host.files.at(path), file.subarray(9)), 3],
  ]
  for (const [what, touch, requests] of touches) {
    touch()
    await download(host, wanted())
    expect([what, server.asked.length]).toEqual([what, requests])
    expect(readFileSync(host.files.at(path)).equals(file)).toBe(true)
    expect(isProven(host, wanted())).toBe(true)
  }
  expect(host.lines.filter(line => line.startsWith('Verifying'))).toHaveLength(8)
})

function replaceBy(at: string, bytes: Buffer) {
  writeFileSync(`${at}.copy`, bytes)
  renameSync(`${at}.copy`, at)
}

it('sends no request if the disk is too small', async () => {
  server = await startSlowServer({ '/a.gguf': file })
  const size = 10 ** 15
  await expect(download(newHost(), wanted({ size }))).rejects.toThrow(
    /needs another 1000000\.5 GB, but its disk has only .* free\. Enlarge/,
  )
  expect(server.asked).toEqual([])
})

it('names a file that the server does not have', async () => {
  server = await startSlowServer({})
  const missing = download(newHost(), wanted())
  await expect(missing).rejects.toThrow(
    /Download failed: 127\.0\.0\.1.*the requested URL returned error: 404\. Check the URL\./,
  )
})

it('names a host that cannot be resolved, and says what to do', async () => {
  server = await startSlowServer({})
  await expect(download(newHost(), wanted({ url: 'http://mirror.invalid/a.gguf' }))).rejects.toThrow(
    "Download failed: could not resolve host: mirror.invalid. Check the URL, and this machine's DNS servers",
  )
})
