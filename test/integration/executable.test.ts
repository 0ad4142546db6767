/** Running the executable: Node.js's own options are disabled, output that cannot be written, relative file names. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import packageFile from '../../package.json' with { type: 'json' }
import { buildExecutable } from '../../packer/build/executable.ts'

const home = mkdtempSync(join(tmpdir(), 'slm-copilot-executable-'))
const at = (name: string) => join(home, name)
let executable = ''
beforeAll(async () => {
  executable = await buildExecutable()
  writeFileSync(at('module.cjs'), `require('node:fs').writeFileSync(${JSON.stringify(at('loaded'))}, '')`)
  writeFileSync(at('.env'), `NODE_OPTIONS=--require=${at('module.cjs')}\nNODE_DEBUG=net\n`)
})
afterAll(() => rmSync(home, { recursive: true }))

const call = (args: string[], options: SpawnSyncOptions = {}) => {
  const { status, stdout, stderr } = spawnSync(executable, args, { cwd: home, ...options, encoding: 'utf8' })
  return { status, stdout, stderr }
}
const shell = (script: string) =>
  spawnSync('bash', ['-c', script, executable], { cwd: home, encoding: 'utf8', timeout: 60_000 })

describe("Node.js's own variables", () => {
  it.each([
    ['NODE_OPTIONS', '--require=./module.cjs'],
    ['NODE_OPTIONS', '--inspect=127.0.0.1:0'],
    ['NODE_OPTIONS', '--no-such-option'],
    ['NODE_V8_COVERAGE', 'coverage'],
    ['NODE_DEBUG', 'fs,net,http,module,tls'],
    ['NODE_REDIRECT_WARNINGS', 'warnings'],
    ['NODE_PENDING_DEPRECATION', '1'],
    ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
    ['NODE_EXTRA_CA_CERTS', './none'],
    ['OPENSSL_CONF', './none'],
  ])('%s=%s has no effect', (name, value) => {
    const plain = call(['models', '--memory', '32G'])
    expect(plain).toMatchObject({ status: 0, stderr: '' })
    const called = call(['models', '--memory', '32G'], { env: { ...process.env, [name]: value } })
    // Without this, Node.js prints there that coverage is disabled.
    const stderr = name === 'NODE_V8_COVERAGE' ? expect.any(String) : ''
    expect(called).toEqual({ ...plain, stderr })
    for (const made of ['loaded', 'coverage', 'warnings']) expect(existsSync(at(made))).toBe(false)
  })

  it('have no effect whatever name it is called by', () => {
    const { stderr } = shell(`NODE_DEBUG=net exec -a configure "$0" --no-such`)
    expect(stderr).toMatch(/^slm-copilot configure: unknown option --no-such\./)
  })

  it('an untrusted certificate is refused despite NODE_TLS_REJECT_UNAUTHORIZED=0', () => {
    writeFileSync(at('key'), 'none')
    const script = `openssl req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost 2> /dev/null
coproc openssl s_server -accept 127.0.0.1:0 -cert c.pem -key k.pem -www 2> /dev/null
while read -r line <&"\${COPROC[0]}"; do [[ $line = ACCEPT* ]] && break; done
NODE_TLS_REJECT_UNAUTHORIZED=0 "$0" smoke-test --endpoint "https://localhost:\${line##*:}" --key-file key
code=$?; kill "$COPROC_PID"; exit $code`
    const { status, stderr } = shell(script)
    expect(stderr).toContain('self-signed certificate')
    expect(status).toBe(1)
  })
})

it.each([
  '--inspect',
  '--require=./module.cjs',
  '--eval=1',
  '--v8-options',
  '--build-sea=x',
  '--env-file=.env',
])('%s is an option of Node.js, not ours', option => {
  for (const args of [[option], ['plan', option], ['plan', '--memory', '32G', option]])
    expect(call(args)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('unknown option'),
    })
  expect(existsSync(at('loaded'))).toBe(false)
})

it('starts no debugger on SIGUSR1, and keeps running', () => {
  const { stdout, stderr } = shell(
    `mkfifo wait
"$0" smoke-test --endpoint https://127.0.0.1:1 --key-file wait & pid=$!
sleep 1; kill -USR1 $pid; sleep 0.5; kill -0 $pid && echo alive; kill $pid; wait`,
  )
  expect(stdout).toContain('alive')
  expect(stderr).not.toContain('Debugger')
})

describe('output that cannot be written', () => {
  it.each(['help', '--help', 'help plan', 'models', 'plan --table'])('%s to a closed pipe', args => {
    const closed = shell(`set -o pipefail; { sleep 0.5; "$0" ${args}; } | true`)
    expect({ status: closed.status, stderr: closed.stderr }).toEqual({ status: 141, stderr: '' })
  })

  it.each(['help', 'models', '--version'])('%s to a full disk', args => {
    const { status, stderr } = shell(`"$0" ${args} > /dev/full`)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'slm-copilot: could not write to standard output: no space left on device.\n',
    })
  })
})

describe('about', () => {
  const about = (...args: string[]) => call(['about', ...args]).stdout
  it('lists Node.js and every bundled package, in 80 columns', () => {
    const lines = about().split('\n')
    expect(lines.filter(line => line.length > 80)).toEqual([])
    for (const name of Object.keys(packageFile.dependencies))
      expect(lines.filter(line => line.startsWith(`  ${name} `))).toHaveLength(1)
    expect(about()).toMatch(new RegExp(`Node.js +${process.versions.node} +MIT`))
  })

  it('prints the licence text of each, and of what they contain', () => {
    const texts = about('--notices')
    for (const name of [...Object.keys(packageFile.dependencies), 'Node.js'])
      expect(texts).toMatch(new RegExp(`^={80}\\n${name} \\d.*\\n\\n.*(?:\\n.*){10}`, 'm'))
    for (const part of ['chalk@', 'OpenSSL', 'V8, located', 'Permission is hereby granted'])
      expect(texts).toContain(part)
  })

  it('prints JSON', () => {
    const { components } = JSON.parse(about('--json'))
    expect(components).toContainEqual(
      expect.objectContaining({
        kind: 'npm',
        name: 'zod',
        licence: 'MIT',
        purl: expect.stringMatching(/^pkg:npm.zod@/),
      }),
    )
    const files: { digest: string }[] = components.flatMap(
      ({ kind, file }: { kind: string; file?: object }) => (kind === 'npm' && file ? [file] : []),
    )
    expect(files).not.toEqual([])
    expect(files.filter(({ digest }) => !/^[0-9a-f]{128}$/.test(digest))).toEqual([])
  })
})

it('resolves file names in options against the working directory, whatever --root is', () => {
  writeFileSync(at('context.env'), 'ONEAPP_COPILOT_CONTEXT_SIZE=wrong\n')
  const { stderr } = call(['configure', '--root', '.', '--context-file', 'none.env'])
  expect(stderr).toBe(
    `slm-copilot configure: --context-file ${at('none.env')} cannot be read: no such file or directory.\n`,
  )
  const smoke = ['smoke-test', '--endpoint', 'https://127.0.0.1:1', '--key-file', 'key', '--ca', 'none.crt']
  expect(call(smoke).stderr).toBe(
    `slm-copilot smoke-test: --ca ${at('none.crt')} cannot be read: no such file or directory.\n`,
  )
  const release = call(['install', '--root', '.', '--release', 'context.env'])
  expect(release.stderr).toContain(`--release ${at('context.env')} is damaged`)
})
