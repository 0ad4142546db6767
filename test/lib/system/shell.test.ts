/** Programs that are run: what they are given, what comes back, what is said of those that fail. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import type { Log } from '../../../lib/system/log.ts'
import { $, listing, shell, unknown } from '../../../lib/system/shell.ts'

// zx takes settings from such variables when it is loaded, at the first command.
process.env.ZX_PREFIX = 'echo prefix;'
afterAll(() => void delete process.env.ZX_PREFIX)

const awkward = [
  'two words',
  '',
  "it's",
  '"',
  '$HOME',
  '`id`',
  '\\n',
  'a\nb',
  '*',
  '~',
  '-n',
  '%,;|&',
  'ä€',
  '#',
]

it('gives each value as one word, each of an array as one, whatever is in it', async () => {
  const { stdout } = await $`printf ${'%s|'} ${awkward} --name=${'a b'} ${[]} ${7}`
  expect(stdout).toBe([...awkward, '--name=a b', '7', ''].join('|'))
})

it.each([
  [
    'an exit code',
    () => $`sh -c ${'echo out; echo err >&2; exit 3'}`,
    /^`sh -c .*` failed with exit code 3:\nout\n\nerr$/,
  ],
  ['a signal', () => $`sh -c ${'kill -TERM $$'}`, /^`sh -c .*` was ended by SIGTERM:\n$/],
  [
    'no program',
    () => $`no-such-program --now`,
    /^`no-such-program --now` failed with exit code 127:\n.*not found/,
  ],
  ['a long story', () => $`sh -c ${'seq 100; exit 1'}`, /:\n89\n(\d+\n)+100$/],
  ['a pipe', () => $`false | cat`, /failed with exit code 1/],
])('tells of %s', async (_, run, message) => {
  await expect(run()).rejects.toThrow(message)
})

it('gives the output of what may fail', async () => {
  const output = await $`sh -c ${'echo out; exit 3'}`.nothrow()
  expect(output).toEqual({ exitCode: 3, stdout: 'out\n', stderr: '' })
})

it('sends input, and ends it; without any there is nothing to read', async () => {
  expect((await $({ input: 'text' })`cat`).stdout).toBe('text')
  expect((await $`cat`).stdout).toBe('')
  expect((await $({ input: '' })`cat`).stdout).toBe('')
})

it('is not ended by a program that reads nothing of a long input', async () => {
  expect(await $({ input: 'x'.repeat(1_000_000) })`true`).toMatchObject({ exitCode: 0 })
})

it('hands out lines as they come', async () => {
  const lines: string[] = []
  const running = $({ onLine: line => lines.push(line) })`sh -c ${'echo one; exec sleep 60'}`.nothrow()
  await expect.poll(() => lines).toEqual(['one'])
  await running.kill()
})

it('gives a child no variable of ours but those that it is to have', async () => {
  process.env.SECRET = 'canary'
  const { stdout } = await $({ env: { OWN: 'given' } })`env`
  delete process.env.SECRET
  const names = stdout.split('\n').map(line => line.split('=')[0])
  expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'LC_ALL', 'OWN']))
  expect(stdout).not.toMatch(/canary|prefix/)
})

it('is the program itself that is ended, not a shell around it', async () => {
  const pids: number[] = []
  const print = 'echo $$; exec sleep 60'
  const running = $({
    onLine: line => pids.push(Number(line)),
  })`setpriv --pdeathsig=KILL sh -c ${print}`.nothrow()
  await expect.poll(() => pids.length).toBe(1)
  expect(running.output()).toBeUndefined()
  await running.kill()
  expect(running.output()?.exitCode).toBe(137)
  await sleep(50)
  expect(() => process.kill(pids[0] ?? 0, 0)).toThrow('ESRCH')
})

it('lists commands in place of running them, or answers nothing', async () => {
  const lines: string[] = []
  const log = { info: (line: string) => void lines.push(line) } as Log
  const output = await shell(listing(log))({ env: { A: 'b' } })`systemctl restart ${'a b.service'}`
  expect(output).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(lines).toEqual(["would run: systemctl restart $'a b.service'"])
  await expect(shell(unknown)`id`).rejects.toThrow('`id` failed')
})
