import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { alone } from '../../../lib/system/lock.ts'

function newLock(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'lock')
}
const quiet = () => {}

it('lets one after the other in, also after one that fails', async () => {
  const path = newLock()
  let inside = 0
  let most = 0
  const act = (fails: boolean) => async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise(resolve => setTimeout(resolve, 50))
    inside -= 1
    if (fails) throw new Error('failed')
    return 'done'
  }
  const all = [true, false, true, false].map(fails => alone(path, quiet, act(fails)))
  const outcomes = (await Promise.allSettled(all)).map(({ status }) => status)
  expect(outcomes).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
  expect(most).toBe(1)
  expect(existsSync(path)).toBe(true)
})

it('tells those who wait', async () => {
  const path = newLock()
  let release = quiet
  const held = alone(
    path,
    quiet,
    () =>
      new Promise<void>(resolve => {
        release = resolve
      }),
  )
  await new Promise<void>(told => void alone(path, told, async () => {}))
  release()
  await held
})

it('runs nothing without a lock', async () => {
  await expect(alone('/nonexistent/lock', quiet, async () => 'ran')).rejects.toThrow(
    'did not lock /nonexistent',
  )
})
