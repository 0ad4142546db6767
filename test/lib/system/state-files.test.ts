/** Every state file of the appliance with every kind of damage: an error with path and fix, or a warning with path. */
import { expect, it } from 'vitest'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { readState, requireState, type StateFile, writeState } from '../../../lib/system/state-files.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const files = Object.values<StateFile<unknown>>(stateFiles)

const damages: [string, string, RegExp][] = [
  ['empty', '', / is empty\./],
  ['blank', ' \n', / is empty\./],
  ['truncated', '{"capacity": {"mod', / is damaged \(.*JSON.*\)\./],
  ['of NULs, as a power cut leaves it', '\0'.repeat(64), / is damaged \(/],
  ['of another type', '[]\n', / was written by another version, or changed \(.*\)\./],
  ['null', 'null\n', / was written by another version, or changed \(.*\)\./],
  ['of a newer version', '{"version": 9, "a": 1}', / was written by another version, or changed \(.*\)\./],
]

const table = files.flatMap(file => damages.map(damage => ({ file, path: file.path, damage })))

it.each(table)('$path $damage.0', ({ file, damage: [, text, message] }) => {
  const host = recordedHost()
  host.files.replace(file.path, text, 0o600)
  if ('fix' in file.whenDamaged) {
    expect(() => readState(host, file)).toThrow(message)
    expect(() => readState(host, file)).toThrow(`${file.path} `)
    expect(() => readState(host, file)).toThrow(`Fix: ${file.whenDamaged.fix}.`)
  } else {
    expect(readState(host, file)).toBeUndefined()
    expect(host.lines.at(-1)).toMatch(message)
    expect(host.lines.at(-1)).toContain(`${file.path} `)
    expect(host.lines.at(-1)).toContain(`It is ignored: ${file.whenDamaged.consequence}.`)
  }
})

it.each(files)('$path that is missing, and one that is a folder', file => {
  const host = recordedHost()
  expect(readState(host, file)).toBeUndefined()
  expect(() => requireState(host, file)).toThrow(`${file.path} is missing.`)
  host.files.makeFolder(file.path)
  expect(() => readState(host, file)).toThrow(new RegExp(`^${file.path} could not be read: .* Fix: `))
})

it('reads what it wrote, without a warning', () => {
  const host = recordedHost()
  const outcomes = { a: { outcome: 'failed', circumstances: 'these', reason: 'It fell over.' } } as const
  writeState(host, stateFiles.verifications, outcomes)
  expect(readState(host, stateFiles.verifications)).toEqual(outcomes)
  expect(host.files.status(stateFiles.verifications.path)?.mode).toBe(0o600)
  expect(host.lines).toEqual([])
})
