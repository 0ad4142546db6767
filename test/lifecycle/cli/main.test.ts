import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { inputFile } from '../../../lib/system/input-files.ts'
import { commands } from '../../../lifecycle/cli/commands.ts'
import { administratorHandlers } from '../../../lifecycle/cli/handlers/administrator.ts'
import { main } from '../../../lifecycle/cli/main.ts'
import { withoutNodeVariables } from '../../../lifecycle/cli/node-variables.ts'
import { guardOutput } from '../../../lifecycle/cli/output.ts'
import { recordedHost } from '../../support/recorded-host.ts'

let out = ''
let err = ''
beforeEach(() => {
  out = ''
  err = ''
  vi.spyOn(process, 'on').mockReturnValue(process)
  vi.spyOn(process.stdout, 'on').mockReturnValue(process.stdout)
  vi.spyOn(process.stderr, 'on').mockReturnValue(process.stderr)
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    out += text
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation(text => {
    err += text
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

it.each([
  [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
  [['help'], 0, /Exit codes: .*Context variables:/s, /^$/],
  [['help', 'status'], 0, /^slm-copilot status: /, /^$/],
  [['models', '--memory', '32G'], 0, /qwen2\.5-coder-3b/, /^$/],
  [['models', '--memory', 'much'], 2, /^$/, /^slm-copilot models: --memory much: takes a size in G or M/],
  [['plan', '--cpus', '0'], 2, /^$/, /^slm-copilot plan: --cpus 0: takes a whole number/],
  [['nonsense'], 2, /^$/, /^slm-copilot: unknown command "nonsense"/],
  [['plan', '--memory', '2G'], 1, /^$/, /^slm-copilot plan: /],
  [
    ['smoke-test', '--endpoint', 'https://a.example', '--ca', '/nowhere/ca.crt'],
    1,
    /^$/,
    /^slm-copilot smoke-test: --ca \/nowhere\/ca\.crt cannot be read: no such file or directory\.\n$/,
  ],
  [['smoke-test', '--endpoint', 'a.example'], 2, /^$/, /--endpoint a\.example: takes an https URL/],
  [['smoke-test', '--endpoint', 'http://a.example'], 2, /^$/, /takes an https URL/],
  [['smoke-test', '--endpoint', 'https://a.example/v2'], 2, /^$/, /takes an https URL/],
  [['smoke-test', '--endpoint', 'https://a.example'], 2, /^$/, /--endpoint needs --key-file FILE/],
  [['configure', '--root', '/nowhere/at/all'], 1, /^$/, /^slm-copilot configure: --root \/nowhere\/at\/all/],
])('%j ends with %i', async (args, code, printed, complained) => {
  expect(await main('slm-copilot', args)).toBe(code)
  expect(out).toMatch(printed)
  expect(err).toMatch(complained)
})

it.each(['install', 'configure', 'bootstrap', 'renew', 'clients', 'fetch-model'])(
  '%s requires root',
  async name => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000)
    expect(await main('slm-copilot', [name])).toBe(2)
    expect(err).toBe(`slm-copilot ${name}: must be run as root.\n`)
  },
)

const elsewhere = ['about', 'help', 'install', 'models', 'plan']
it.each([
  ...Object.keys(commands)
    .filter(name => !elsewhere.includes(name))
    .map(name => [name]),
  ['configure', '--dry-run'],
  ['drain', '--undo'],
  ['plan', '--check'],
  ['update-readiness', '--shutting-down'],
  ['upgrade', '--rollback'],
])('%s %s, on a machine that is no appliance, does nothing and says so', async (...args) => {
  vi.spyOn(process, 'getuid').mockReturnValue(0)
  expect(await main('slm-copilot', args)).toBe(2)
  expect(out).toBe('')
  expect(err).toBe(
    `slm-copilot ${args[0]}: this machine is not an SLM-Copilot appliance: /opt/slm-copilot/release.json does not exist. Run the command in the appliance's VM.\n`,
  )
})

it.each([['status', '--schema'], ['about', '--json'], ['models']])(
  '%s %s works on a machine that is no appliance',
  async (...args) => {
    expect([await main('slm-copilot', args), err]).toEqual([0, ''])
  },
)

it.each(['backends', 'upgrade'] as const)('%s names itself once in a usage error', async name => {
  const line = { name, values: {}, argument: name === 'backends' ? 'foo' : undefined }
  await expect(administratorHandlers[name](recordedHost(), line)).rejects.toThrow(/^takes /)
})

it('names a file that cannot be read, and the reason', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-input-'))
  try {
    writeFileSync(join(folder, 'key'), 'x')
    expect(inputFile('key-file', join(folder, 'key'))).toEqual({ path: join(folder, 'key'), text: 'x' })
    expect(() => inputFile('ca', folder)).toThrow(
      `--ca ${folder} cannot be read: illegal operation on a directory.`,
    )
    expect(() => inputFile('ca', join(folder, 'key', 'x'))).toThrow('not a directory')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it.each([
  ['EPIPE', false, 141, ''],
  ['ENOSPC', false, 1, 'no space left on device'],
  ['EIO', false, 1, 'i/o error'],
  ['EPIPE', true, undefined, 'broken pipe'],
  ['ENOSPC', true, undefined, 'no space left on device'],
] as const)('if output fails with %s (stage: %s), exits with %s', (code, isStage, ended, reason) => {
  const errno = { EPIPE: -32, ENOSPC: -28, EIO: -5 }[code]
  const stdout = new EventEmitter()
  const exit = vi.fn()
  const write = vi.fn()
  guardOutput({ isStage }, { stdout, stderr: { on: vi.fn(), write }, on: vi.fn(), exit } as never)
  stdout.emit('error', Object.assign(new Error(code), { code, errno }))
  expect(exit.mock.calls).toEqual(ended === undefined ? [] : [[ended]])
  expect(write.mock.calls).toEqual(
    reason === '' ? [] : [[`slm-copilot: could not write to standard output: ${reason}.\n`]],
  )
})

it("removes Node's variables from the environment, and nothing else", () => {
  expect(
    withoutNodeVariables({ PATH: '/bin', ONEAPP_COPILOT_KEYS: 'x', SSL_CERT_FILE: '/ca' }),
  ).toBeUndefined()
  const env = { PATH: '/bin', NODE_DEBUG: 'http', NODE_EXTRA_CA_CERTS: '/ca', OPENSSL_CONF: '/x', NODEX: '1' }
  expect(withoutNodeVariables(env)).toEqual({ PATH: '/bin', NODEX: '1' })
})
