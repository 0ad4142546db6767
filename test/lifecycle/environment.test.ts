/** The context as the agent's file gives it, compared with what a real bash passes to the stages. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseEnvironment } from '../../lifecycle/environment.ts'
import { contextScript } from '../../packer/build/context-disk.ts'
import { hostileValues } from '../support/hostile-values.ts'

const folder = mkdtempSync(join(tmpdir(), 'agent-'))
afterAll(() => rmSync(folder, { recursive: true }))

/**
 * As OpenNebula's agent: sources context.sh, exports its variables to the hooks, and writes its own file with what it
 * finds in them. Prints what a hook, and with it a stage, has in its environment.
 */
const agent = `
set -a; . ./context.sh; set +a
{
  echo "export TOKENTXT=\\"token\\""
  for v in $(grep -E '^[a-zA-Z_0-9-]*=' context.sh | sed 's/=.*$//'); do echo "export $v=\\"\${!v}\\""; done
} > one_env
env --null`

function throughAgent(context: Record<string, string>) {
  writeFileSync(join(folder, 'context.sh'), contextScript(context))
  const env = execFileSync('bash', ['--norc', '-c', agent], { cwd: folder, env: { PATH: process.env.PATH } })
  const pairs = env
    .toString()
    .split('\0')
    .map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  return { stage: Object.fromEntries(pairs), file: readFileSync(join(folder, 'one_env'), 'utf8') }
}

const password = 'ONEAPP_COPILOT_PASSWORD'

describe('a value is what the stages get from the framework', () => {
  it.each([
    ['a dollar', 'pa$$word-$HOME-$1'],
    ['a command', 'word-$(echo hi)-$((1 + 1))'],
    ['backticks', 'word-`echo hi`'],
    ['double quotes', 'say "hi" and "ho"'],
    ['a double quote at either end', '"word"'],
    ['single quotes', "it's 'one'"],
    ['backslashes', 'a\\nb\\\\c\\$d\\"e\\'],
    ['line breaks', 'one\ntwo\n\nthree\n'],
    ['a quote before a line break', 'say "hi"\nthen "ho"\n'],
    ['pairs on lines', 'alice=key-of-alice\nbob=key-of-bob-$1'],
    ['carriage returns and tabs', 'one\r\ntwo\tthree'],
    ['spaces', '  two  spaces  '],
    ['comments', 'word # no comment #'],
    ['assignments', 'A="b"; export C=d'],
    ['UTF-8', 'naïve, 世界 🔑'],
    ['equals signs', 'YWJj=='],
    ['an exclamation mark', 'word!!word!$'],
    ['nothing', ''],
  ])('%s', (_, value) => {
    const { stage, file } = throughAgent({ [password]: value, TARGET: 'hda' })
    expect(stage[password]).toBe(value)
    const last = throughAgent({ ETH0_MAC: '02:00:0a:00:02:0f', [password]: value })
    for (const text of [file, last.file]) expect(parseEnvironment(text)[password]).toBe(value)
  })

  it('of hundreds of hostile ones', () => {
    // The agent's bash ends at what looks like the name of an option.
    const harmless = [...hostileValues(7, 3000)].filter(
      ({ value }) =>
        value.length < 200 && value.isWellFormed() && !value.includes('\0') && !/^-.*=/m.test(value),
    )
    const context = Object.fromEntries(harmless.map(({ value }, index) => [`VALUE_${index}`, value]))
    const { file } = throughAgent({ ...context, TARGET: 'hda' })
    expect(parseEnvironment(file)).toMatchObject(context)
  })
})

it.each([
  ['TARGET="hda"', { TARGET: 'hda' }],
  ['KEYS="a=b\nc=d"', { KEYS: 'a=b\nc=d' }],
  ['KEYS="YWJj="', { KEYS: 'YWJj=' }],
  ['KEYS=""', { KEYS: '' }],
])('lines added below the agent’s, the last of which is %j', (last, values) => {
  const added = `\n# added\n${password}=added\nOTHER="two words"\n`
  expect(parseEnvironment(`export TOKENTXT=""\nexport ${last}${added}`)).toEqual({
    ...{ TOKENTXT: '', ...values },
    [password]: 'added',
    OTHER: 'two words',
  })
})

it.each([
  ['NAME=value\n', 'value'],
  ['export NAME="two\\nlines"\n', 'two\nlines'],
  ["NAME='$1' # comment", '$1'],
])('a file of one’s own: %j', (text, value) => {
  expect(parseEnvironment(text)).toEqual({ NAME: value })
})
