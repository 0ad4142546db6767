/** Running programs: arguments, input and environment, output, and error messages. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import type { Log } from '../../../lib/system/log.ts'
import { $, listing, shell, unknown } from '../../../lib/system/shell.ts'

// zx would read its settings from such variables when loaded, at the first command.
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

it('passes each value, and each element of an array, as one word, whatever it contains', async () => {
  const { stdout } = await $`printf ${'%s|'} ${awkward} --name=${'a b'} ${[]} ${7}`
  expect(stdout).toBe([...awkward, '--name=a b', '7', ''].join('|'))
})

it('shows an empty array as nothing, without the space before it', async () => {
  const lines: string[] = []
  const log = { info: (line: string) => void lines.push(line) } as Log
  const none: string[] = []
  const list = shell(listing(log))
  await list`a ${none} b${none} ${['c', 'd']} ${none} ${none} --e=${none} ${'f'} ${none}`
  expect(lines).toEqual(['would run: a b c d --e= f'])
})

it.each([
  [
    'an exit code',
    () => $`sh -c ${'echo out; echo err >&2; exit 3'}`,
    /^`sh -c .*` failed with exit code 3:\nout\n\nerr$/,
  ],
  ['a signal', () => $`sh -c ${'kill -TERM $$'}`, /^`sh -c .*` was ended by SIGTERM:\n$/],
  [
    'a missing program',
    () => $`no-such-program --now`,
    /^`no-such-program --now` failed with exit code 127:\n.*not found/,
  ],
  ['long output', () => $`sh -c ${'seq 100; exit 1'}`, /:\n89\n(\d+\n)+100$/],
  ['a pipe', () => $`false | cat`, /failed with exit code 1/],
])('reports %s', async (_, run, message) => {
  await expect(run()).rejects.toThrow(message)
})

it('returns the output of a command that may fail', async () => {
  const output = await $`sh -c ${'echo out; exit 3'}`.nothrow()
  expect(output).toEqual({ exitCode: 3, stdout: 'out\n', stderr: '' })
})

it('sends input and closes it; without input, standard input is empty', async () => {
  expect((await $({ input: 'text' })`cat`).stdout).toBe('text')
  expect((await $`cat`).stdout).toBe('')
  expect((await $({ input: '' })`cat`).stdout).toBe('')
})

it('survives a program that does not read its long input', async () => {
  expect(await $({ input: 'x'.repeat(1_000_000) })`true`).toMatchObject({ exitCode: 0 })
})

it('reports lines as they are printed', async () => {
  const lines: string[] = []
  const running = $({ onLine: line => lines.push(line) })`sh -c ${'echo one; exec sleep 60'}`.nothrow()
  await expect.poll(() => lines).toEqual(['one'])
  await running.kill()
})

it('passes a child no variables of ours but the given ones', async () => {
  process.env.SECRET = 'canary'
  const { stdout } = await $({ env: { OWN: 'given' } })`env`
  delete process.env.SECRET
  const names = stdout.split('\n').map(line => line.split('=')[0])
  expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'LC_ALL', 'OWN']))
  expect(stdout).not.toMatch(/canary|prefix/)
})

it('kills the program itself, not a shell around it', async () => {
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

it('lists commands instead of running them, or fails them', async () => {
  const lines: string[] = []
  const log = { info: (line: string) => void lines.push(line) } as Log
  const output = await shell(listing(log))({ env: { A: 'b' } })`systemctl restart ${'a b.service'}`
  expect(output).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  expect(lines).toEqual(["would run: systemctl restart $'a b.service'"])
  await expect(shell(unknown)`id`).rejects.toThrow('`id` failed')
})
