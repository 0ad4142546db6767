import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { withLock } from '../../../lib/system/lock.ts'

function newLock(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'lock')
}
const quiet = () => {}

it('admits one holder at a time, also after one that fails', async () => {
  const path = newLock()
  let inside = 0
  let maximum = 0
  const act = (fails: boolean) => async () => {
    inside += 1
    maximum = Math.max(maximum, inside)
    await new Promise(resolve => setTimeout(resolve, 50))
    inside -= 1
    if (fails) throw new Error('failed')
    return 'done'
  }
  const all = [true, false, true, false].map(fails => withLock(path, quiet, act(fails)))
  const outcomes = (await Promise.allSettled(all)).map(({ status }) => status)
  expect(outcomes).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(maximum).toBe(1)
  expect(existsSync(path)).toBe(true)
})

it('calls onWait if it has to wait', async () => {
  const path = newLock()
  const { promise: isHeld, resolve: hold } = Promise.withResolvers<void>()
  const { promise: isReleased, resolve: release } = Promise.withResolvers<void>()
  const held = withLock(path, quiet, () => {
    hold()
    return isReleased
  })
  await isHeld
  const { promise: isWaiting, resolve: onWait } = Promise.withResolvers<void>()
  const waiting = withLock(path, onWait, async () => {})
  await isWaiting
  release()
  await Promise.all([held, waiting])
})

it('does not run the action if the lock cannot be created', async () => {
  await expect(withLock('/nonexistent/locks/lock', quiet, async () => 'ran')).rejects.toThrow(
    'The lock /nonexistent/locks/lock could not be created: ENOENT',
  )
})

const modeOf = (path: string) => lstatSync(path).mode & 0o777

it('creates lock and folder with access for its own user only, whatever the umask', async () => {
  const path = join(newLock(), '..', 'locks', 'stages')
  const before = process.umask(0)
  await withLock(path, quiet, async () => {}).finally(() => process.umask(before))
  expect([modeOf(dirname(path)), modeOf(path)]).toEqual([0o700, 0o600])
})

it.each([
  ['a file readable by others', (path: string) => writeFileSync(path, '', { mode: 0o644 })],
  ['a link', (path: string) => symlinkSync('/etc/hostname', path)],
  ['a folder', (path: string) => mkdirSync(path)],
])('replaces %s', async (_, make) => {
  const path = newLock()
  make(path)
  await withLock(path, quiet, async () => {})
  expect([lstatSync(path).isFile(), modeOf(path)]).toEqual([true, 0o600])
})

it('is not blocked by a process that opened the lock while its folder was accessible to all', async () => {
  const path = newLock()
  chmodSync(dirname(path), 0o755)
  writeFileSync(path, '', { mode: 0o600 })
  const other = spawn('flock', ['--shared', path, 'sleep', '60'])
  onTestFinished(() => void other.kill())
  await once(other, 'spawn')
  await new Promise(resolve => setTimeout(resolve, 200))
  expect(await withLock(path, quiet, async () => 'ran')).toBe('ran')
  expect([modeOf(dirname(path)), modeOf(path)]).toEqual([0o700, 0o600])
})

it('rejects a folder that is a symbolic link', async () => {
  const folder = dirname(newLock())
  symlinkSync('/tmp', join(folder, 'locks'))
  await expect(withLock(join(folder, 'locks/lock'), quiet, async () => {})).rejects.toThrow(
    'not a folder owned by this user',
  )
})
