/** What is recorded of a stage: running, ended, failed, killed; and that recording never fails a stage. */
import { expect, it } from 'vitest'
import { resultOf } from '../../../lib/appliance/stages.ts'
import { readStageRuns, recorded } from '../../../lib/steps/stage-runs.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const at = '2026-02-14T10:00:00.000Z'

it('records success, and failure with the first line of the reason, beside the other stages', async () => {
  const host = recordedHost()
  await recorded(host, 'configure', async () => {})
  const failing = recorded(host, 'bootstrap', () => Promise.reject(new Error('It failed:\nin detail')))
  await expect(failing).rejects.toThrow('in detail')
  expect(readStageRuns(host)).toEqual({
    configure: { startedAt: at, endedAt: at },
    bootstrap: { startedAt: at, endedAt: at, problem: 'It failed:' },
  })
})

it('has recorded the start while the stage runs', async () => {
  const host = recordedHost()
  await recorded(host, 'install', async () => {
    expect(readStageRuns(host)).toEqual({ install: { startedAt: at } })
  })
})

it.each([
  [{ startedAt: at }, true, 'running'],
  [{ startedAt: at }, false, 'interrupted'],
  [{ startedAt: at, endedAt: at }, true, 'success'],
  [{ startedAt: at, endedAt: at, problem: 'x' }, false, 'failure'],
] as const)('%j, a stage at work: %s, is: %s', (run, isAtWork, result) => {
  expect(resultOf(run, isAtWork)).toBe(result)
})

it('only warns if nothing can be recorded', async () => {
  const host = recordedHost()
  const replace = () => {
    throw new Error('no space left')
  }
  const full = { ...host, files: { ...host.files, replace } }
  expect(await recorded(full, 'configure', async () => 'done')).toBe('done')
  expect(host.lines).toContain('no space left')
})
