import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { onOneLine, shellQuoted, wrapped } from '../../../lib/appliance/text.ts'

it.each([
  ['', 10, ['']],
  ['   ', 10, ['']],
  ['one two', 7, ['one two']],
  ['one \n\t two', 7, ['one two']],
  ['one two', 6, ['one', 'two']],
  ['  one\n two\t', 10, ['one two']],
  ['a bc def next', 4, ['a bc', 'def', 'next']],
  ['0123456789', 4, ['0123', '4567', '89']],
  ['a 0123456789 b', 4, ['a', '0123', '4567', '89 b']],
])('wraps %j at %d columns', (text, width, lines) => {
  expect(wrapped(text, width)).toEqual(lines)
})

it('puts a text on one line', () => {
  expect(onOneLine(' one\n\n  two\tthree ')).toBe('one two three')
})

it.each(['', 'plain', "it's", "''", '$HOME `id` "x" \\', 'a\nb', '--x'])(
  'a shell reads %j as one word',
  text => {
    const script = `printf '%s.' ${shellQuoted(text)}`
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe(`${text}.`)
  },
)
