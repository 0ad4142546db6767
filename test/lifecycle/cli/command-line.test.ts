import { describe, expect, it } from 'vitest'
import { parseCommandLine } from '../../../lifecycle/cli/command-line.ts'
import { commands } from '../../../lifecycle/cli/commands.ts'

const parse = (line: string, calledAs = 'slm-copilot') =>
  parseCommandLine(calledAs, line === '' ? [] : line.split(' '), '/home/me')
const run = (name: string, values = {}, argument?: string) => ({ kind: 'run', name, values, argument })

describe('a valid command line', () => {
  it.each([
    ['', { kind: 'overview' }],
    ['--help', { kind: 'overview' }],
    ['-h', { kind: 'overview' }],
    ['--version', { kind: 'version' }],
    ['help', run('help')],
    ['help plan', { kind: 'usage', name: 'plan' }],
    ['--help plan', { kind: 'usage', name: 'plan' }],
    ['plan -h', { kind: 'usage', name: 'plan' }],
    ['clients cline', run('clients', {}, 'cline')],
    ['plan --memory 32G --json', run('plan', { memory: '32G', json: true })],
    ['plan --memory=32G', run('plan', { memory: '32G' })],
  ])('%j', (line, expected) => {
    expect(parse(line)).toEqual(expected)
  })

  it.each(Object.keys(commands))('%s --help shows its usage', name => {
    expect(parse(`${name} --help`)).toEqual({ kind: 'usage', name })
  })

  it.each(['install', 'configure', 'bootstrap'])('%s by the name of the executable', name => {
    expect(parse('--dry-run', `/opt/one-appliance/bin/${name}`)).toEqual(run(name, { 'dry-run': true }))
  })

  it('resolves relative paths against the working directory, and keeps absolute ones', () => {
    expect(parse('smoke-test --ca ca.crt --key-file ../key')).toMatchObject({
      values: { ca: '/home/me/ca.crt', 'key-file': '/home/key' },
    })
    expect(parse('configure --root here --context-file /run/.env')).toMatchObject({
      values: { root: '/home/me/here', 'context-file': '/run/.env' },
    })
    expect(parse('install --release r.json')).toMatchObject({ values: { release: '/home/me/r.json' } })
    expect(parse('bootstrap --report ./r')).toMatchObject({ values: { report: '/home/me/r' } })
  })
})

it.each([
  ['sttus', 'unknown command "sttus". Did you mean status?'],
  ['constructor', 'unknown command "constructor".'],
  ['--verson', 'unknown option --verson. Did you mean --version?'],
  ['--inspect', 'unknown option --inspect.'],
  ['help stat', 'unknown command "stat". Did you mean status?'],
  ['help a b', 'takes one COMMAND, got 2.'],
  ['configure --dryrun', 'unknown option --dryrun. Did you mean --dry-run?'],
  ['plan --mem 32G', 'unknown option --mem. Did you mean --memory?'],
  ['bootstrap --context-file FILE', 'unknown option --context-file.'],
  ['plan -j', 'unknown option -j.'],
  ['plan --toString', 'unknown option --toString.'],
  ['plan --memory', '--memory takes a value: --memory SIZE.'],
  ['plan --memory=', '--memory takes a value: --memory SIZE.'],
  [
    'configure --root --dry-run',
    '--root takes a value, got "--dry-run" (if that is meant: --root=--dry-run).',
  ],
  ['plan --json=yes', '--json takes no value, got "yes".'],
  ['plan --json --json', '--json is given twice.'],
  ['plan --cpus 2 --cpus 4', '--cpus is given twice.'],
  ['status now', 'unexpected argument "now".'],
  ['clients a b', 'takes one NAME, got 2.'],
])('rejects %j', (line, message) => {
  expect(() => parse(line)).toThrow(
    expect.objectContaining({ name: 'UsageError', message: expect.stringContaining(message) }),
  )
  expect(() => parse(line)).toThrow(/ See: slm-copilot .*--help$/)
})
