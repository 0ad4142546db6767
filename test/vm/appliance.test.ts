/** The appliance in a container: the image, booted by systemd, configured by a context disk, used from outside. */

import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { beforeAll, describe, expect, it } from 'vitest'
import { packageFormat } from '../../lib/appliance/inventory/debian.ts'
import { componentsIn } from '../../lib/appliance/inventory/sbom.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { statusSchema } from '../../lib/appliance/status/status.ts'
import { generatePassword } from '../../lib/steps/password.ts'
import { eventsOf } from '../../lib/steps/services/smoke-test.ts'
import { executable } from '../../packer/build/executable.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { blocksRunBy } from '../support/command-blocks.ts'
import { commandsIn, expected, withNames } from '../support/printed-commands.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, canary, filesKeptByBoot, snapshot, untilServing } from './client.ts'
import { changeContext } from './context.ts'
import type { Machine } from './machine.ts'
import {
  contextualizeNow,
  isReportedReady,
  reboot,
  shownAtOneGate,
  waitForContextualization,
} from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'
import { runStage } from './stage.ts'

let vm: Machine
let access: AccessFiles

beforeAll(async () => {
  vm = await readyContainer()
})

const logFile = '/var/log/one-appliance/slm-copilot.log'

/** Changes the context of the running VM, and waits for the stages to end. */
async function contextualize(context: Record<string, string>): Promise<string> {
  await changeContext(vm, context)
  return contextualizeNow(vm)
}

/** The lines of the appliance's log after this line number. */
const linesOfLog = async () => Number((await sshOutput(vm, `wc -l < ${logFile}`)).trim())
const logSince = (line: number) => sshOutput(vm, `tail -n +${line + 1} ${logFile}`)

describe('first boot', () => {
  it('ends in success, READY at OneGate, and the framework’s message of the day', async () => {
    expect((await waitForContextualization(vm)).status).toBe('bootstrap_success')
    expect(shownAtOneGate(vm)).toMatchObject({
      READY: 'YES',
      ONEAPP_COPILOT_API: 'https://10.0.2.15/v1',
      ONEAPP_COPILOT_SERVED_MODEL: 'sentence',
      ONEAPP_COPILOT_SERVED_CONTEXT: '32768',
    })
    expect(await sshOutput(vm, 'cat /etc/motd')).toContain('All set and ready to serve')
    access = await readAccess(vm)
  })

  it('answers from outside: the smoke test, a chat, a stream, a refusal, the landing page', async () => {
    const args = ['smoke-test', '--endpoint', access.endpoint, '--ca', access.ca, '--key-file', access.key]
    expect(execFileSync(executable, args, { encoding: 'utf8' })).toMatch(/stream: .* events/)

    const question = { messages: [{ role: 'user', content: 'Hello!' }] }
    const chat = await ask(access, '/v1/chat/completions', { json: question })
    expect(JSON.parse(chat.body).choices[0].message.content).toBe(sentence)
    const stream = await ask(access, '/v1/chat/completions', { json: { ...question, stream: true } })
    expect(eventsOf(stream.body).at(-1)).toBe('[DONE]')
    expect(stream.arrivals.length).toBeGreaterThan(1)
    expect((await ask(access, '/v1/models', { headers: { authorization: 'Bearer none' } })).status).toBe(401)
    expect((await ask(access, '/', { headers: {} })).body).toContain('<title>SLM-Copilot</title>')
  })

  it('generates a password of 20 characters, in a single file that only root can read', async () => {
    const password = readFileSync(access.key, 'utf8').trim()
    expect(password).toHaveLength(generatePassword(bytes => Buffer.alloc(bytes)).length)
    expect(await sshOutput(vm, 'stat -c %a:%U /var/lib/slm-copilot/password')).toBe('600:root\n')
  })

  it('writes a report that only root can read: endpoint, key, model, services, CA, editor settings', async () => {
    expect(await sshOutput(vm, 'stat -c %a:%U /etc/one-appliance/config')).toBe('600:root\n')
    const report = await sshOutput(vm, 'cat /etc/one-appliance/config')
    const fingerprint = execFileSync(
      'openssl',
      ['x509', '-in', access.ca, '-noout', '-fingerprint', '-sha256'],
      { encoding: 'utf8' },
    )
    expect(report).toContain(fingerprint.trim().split('=')[1])
    for (const word of [
      'https://10.0.2.15/v1',
      readFileSync(access.key, 'utf8').trim(),
      'sentence',
      '32768 tokens',
      'slm-copilot.service',
      'slm-copilot-admission.service',
      'nginx.service',
      'curl --cacert',
      'Cline',
    ])
      expect(report).toContain(word)
    expect(report).toMatch(/^speed +=.* prompt [\d.]+ tokens\/s, generation [\d.]+ tokens\/s \(measured/m)
  })

  it('shows a login banner of at most 80 columns, without the key', async () => {
    const banner = await sshOutput(vm, 'bash -lic true 2> /dev/null; cat /etc/motd')
    expect(banner).toContain('https://10.0.2.15/v1')
    expect(banner).not.toContain(readFileSync(access.key, 'utf8').trim())
    expect(Math.max(...banner.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
    expect(await sshOutput(vm, 'bash -lc true')).toBe('')
  })

  it('logs what each stage did, in a uniform format', async () => {
    const log = await sshOutput(vm, `cat ${logFile}`)
    const lines = log.trimEnd().split('\n')
    expect(
      lines.filter(line => !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \[(INFO|WARN|ERROR)\] /.test(line)),
    ).toEqual([])
    // The bake's own log is not in the image.
    expect(log).toMatch(/slm-copilot\.conf: created.*Smoke test: .*Ready\. /s)
    expect(await sshOutput(vm, `stat -c %a ${logFile}`)).toBe('640\n')
  })

  it('contains no remnants of the bake: no server, socket, release file or default site', async () => {
    const { stdout } = await ssh(
      vm,
      'ls /tmp/*release* /run/slm-copilot-prewarm /run/slm-copilot-candidate /etc/nginx/sites-enabled/default 2> /dev/null; pgrep -c llama-server',
    )
    expect(stdout).toBe('1\n')
  })

  it('has a software bill of materials that lists every Debian package, all with a licence', async () => {
    const text = await sshOutput(vm, `cat ${paths.sbom}`)
    const problem = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)
    expect(problem).toBeNull()
    const found = componentsIn(text)
    const names = (kind: string) => found.filter(each => each.kind === kind).map(({ name }) => name)
    const installed = await sshOutput(vm, `dpkg-query --show --showformat '${packageFormat}'`)
    expect(names('debian').sort()).toEqual(
      [...installed.matchAll(/^(\S+)\t.*\tinstalled$/gm)].map(([, name]) => name).sort(),
    )
    expect([...names('llama.cpp'), ...names('model')]).toEqual(['llama.cpp', 'sentence'])
    expect(names('npm')).toEqual(expect.arrayContaining(['zod', 'zx']))
    expect(found.filter(({ kind, licence }) => kind === 'debian' && licence === undefined)).toEqual([])
    expect(found.find(({ kind }) => kind === 'llama.cpp')?.commit).toMatch(/^[0-9a-f]{7,}$/)
    const digest = (await sshOutput(vm, `sha256sum ${paths.executable}`)).slice(0, 64)
    expect(JSON.parse(text).metadata.component.hashes).toEqual([{ alg: 'SHA-256', content: digest }])
    expect(await sshOutput(vm, `cat ${paths.notices}`)).toContain('The ggml authors')
  })

  it('gives llama-server no network, and sandboxes its services', async () => {
    for (const [unit, most] of [
      ['slm-copilot.service', 0.5],
      ['slm-copilot-admission.service', 0.5],
      ['nginx.service', 2.5],
    ] as const) {
      const verdict = await sshOutput(vm, `systemd-analyze security ${unit} --no-pager | tail -n 1`)
      console.log(verdict.trim())
      expect(Number(verdict.match(/: ([\d.]+) /)?.[1])).toBeLessThanOrEqual(most)
    }
    const pid = (await sshOutput(vm, 'systemctl show --property MainPID --value slm-copilot')).trim()
    expect(await sshOutput(vm, `nsenter --net --target ${pid} ip -brief address`)).toMatch(
      /^lo +(DOWN|UNKNOWN)[^\n]*\n$/,
    )
    const listening = (await sshOutput(vm, 'ss -Hltn')).split('\n')
    const others = listening.filter(line => !/:(22|80|443) /.test(line))
    expect(listening.length).toBeGreaterThan(3)
    expect(others.join('\n')).not.toMatch(/0\.0\.0\.0|\*:|\[::\]:\d/)
  })
})

describe('commands in its texts', () => {
  const typed = Object.entries(expected).filter(([, code]) => typeof code === 'number')
  it.each(typed)('%s', async (command, code) => {
    const { stdout, stderr, code: ended } = await ssh(vm, withNames(command))
    expect({ ended, stderr }).toEqual({ ended: code, stderr: code === 0 ? '' : expect.any(String) })
    if (code === 0 && !command.startsWith('systemctl')) expect(stdout).not.toBe('')
  })

  it.each(blocksRunBy(import.meta.filename))('$document:$line', async ({ text }) => {
    await sshOutput(vm, `set -e\n${text}`)
  })

  it('are the only ones in report, banner, message of the day, status and log', async () => {
    const texts = `cat /etc/one-appliance/config /etc/motd ${logFile}; bash -lic true 2> /dev/null; slm-copilot status`
    // An error in the log starts with the command that failed.
    const told = (await sshOutput(vm, texts)).replaceAll(/\[ERROR\] slm-copilot [a-z-]+:/g, '')
    const commands = commandsIn(told)
    expect(commands).toContain('cat /etc/one-appliance/config')
    expect(commands.filter(command => !(command in expected))).toEqual([])
  })

  it('finds slm-copilot in every shell, and has no sudo', async () => {
    for (const shell of ['bash -lc', 'bash -c', 'env -i sh -lc'])
      expect(await sshOutput(vm, `${shell} 'command -v slm-copilot'`)).toBe('/usr/local/bin/slm-copilot\n')
    expect((await ssh(vm, 'command -v sudo')).code).not.toBe(0)
  })

  it.each(['clients', 'plan --check', 'smoke-test', 'configure'])(
    'tells users other than root that %s needs root',
    async command => {
      const asNobody = `setpriv --reuid=nobody --regid=nogroup --clear-groups slm-copilot ${command}`
      const { code, stdout, stderr } = await ssh(vm, asNobody)
      expect([code, stdout]).toEqual([expect.any(Number), ''])
      expect(code).not.toBe(0)
      expect(stderr).toMatch(/as root/)
    },
  )

  it('shows users other than root what they may see of the status', async () => {
    const asNobody = 'setpriv --reuid=nobody --regid=nogroup --clear-groups slm-copilot status --json'
    const { code, stdout, stderr } = await ssh(vm, asNobody)
    expect([code, stderr]).toEqual([0, ''])
    const seen = statusSchema.parse(JSON.parse(stdout))
    expect(seen).toMatchObject({ isServing: true, plan: null, services: [{ isActive: true }, {}, {}] })
    expect(seen.unknown.plan).toMatch(/permission denied/)
  })

  it('continues if nobody reads its output, or its log is full', async () => {
    const stage = 'slm-copilot configure --context-file /run/one-context/one_env'
    const line = await linesOfLog()
    expect(await sshOutput(vm, `{ sleep 1; ${stage} --dry-run; } 2>&1 | true; echo $PIPESTATUS`)).toBe(
      '141\n',
    )
    expect(await sshOutput(vm, `{ sleep 1; slm-copilot bootstrap; } 2>&1 | true; echo $PIPESTATUS`)).toBe(
      '0\n',
    )
    expect(await logSince(line)).toContain('Ready.')

    const full = `cd /var/log/one-appliance && mount -t tmpfs -o size=4k tmpfs . && trap 'cd /; umount /var/log/one-appliance' EXIT
{ cat /dev/zero > /var/log/one-appliance/full; } 2> /dev/null
slm-copilot bootstrap > /dev/null`
    const { code, stderr } = await ssh(vm, full)
    expect(code).toBe(0)
    expect(stderr.match(/The log .* cannot be written: no space left on device/g)).toHaveLength(1)
  })

  it('the command in the report under "Try it" works', async () => {
    const report = await sshOutput(vm, 'cat /etc/one-appliance/config')
    const [, line = ''] = report.match(/^\[Try it[^\n]*\n(.*?)\n\n/ms) ?? []
    const local = line.replace('10.0.2.15', new URL(access.endpoint).host).replace('ca.crt', access.ca)
    const said = execFileSync('bash', ['-c', local], { encoding: 'utf8', input: readFileSync(access.key) })
    expect(said).toContain(sentence)
  })
})

describe('running the stages again', () => {
  it('writes no file and touches no service', async () => {
    const before = await snapshot(vm)
    const lines = await linesOfLog()
    for (const stage of ['configure', 'bootstrap']) expect((await runStage(vm, stage)).code).toBe(0)
    expect(await snapshot(vm)).toEqual(before)
    expect(await logSince(lines)).not.toMatch(/created|updated|removed|completion|Speed/)
  })

  it('install too downloads nothing and changes nothing', async () => {
    const before = await snapshot(vm)
    // The mirror is gone: a download would fail.
    const release = '/opt/slm-copilot/release.json'
    expect((await ssh(vm, `/opt/one-appliance/bin/install --release ${release}`)).code).toBe(0)
    expect(await snapshot(vm)).toEqual(before)
  })
})

it('a reboot: the same files, ready again', async () => {
  const before = await filesKeptByBoot(vm)
  expect((await reboot(vm)).status).toBe('bootstrap_success')
  expect(await filesKeptByBoot(vm)).toEqual(before)
  expect(isReportedReady(vm)).toBe(true)
})

describe('another context', () => {
  const password = 'another-password-1'
  const settled = {
    ONEAPP_COPILOT_PASSWORD: password,
    ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
  }

  it('a password: nginx reloads, llama-server keeps running, and no stream is cut off', async () => {
    const before = await snapshot(vm)
    const json = {
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      ignore_eos: true,
      max_tokens: 300,
    }
    const stream = ask(access, '/v1/chat/completions', { json, timeout: 1500 })
    expect(await contextualize({ ONEAPP_COPILOT_PASSWORD: password })).toBe('bootstrap_success')
    expect(eventsOf((await stream).body).at(-1)).toBe('[DONE]')

    const after = await snapshot(vm)
    expect(after.services).toEqual({ ...before.services, 'nginx workers': after.services['nginx workers'] })
    expect(after.services['nginx workers']).not.toBe(before.services['nginx workers'])
    expect((await ask(access, '/v1/models')).status).toBe(401)
    access = await readAccess(vm)
    expect(readFileSync(access.key, 'utf8')).toBe(`${password}\n`)
    expect((await ask(access, '/v1/models')).status).toBe(200)
  })

  // The effect of each variable on the services is tested in test/integration/changes.test.ts.
  it('a context size: llama-server restarts, nginx does not', async () => {
    const before = await snapshot(vm)
    expect(await contextualize(settled)).toBe('bootstrap_success')
    const after = await snapshot(vm)
    expect(after.services['slm-copilot.service']).not.toBe(before.services['slm-copilot.service'])
    expect(after.services['nginx.service']).toBe(before.services['nginx.service'])
    expect(await sshOutput(vm, 'tr "\\0" "\\n" < /proc/$(pgrep llama-server)/environ')).toContain(
      'LLAMA_ARG_KV_UNIFIED_PER_SLOT=4096\n',
    )
    expect((await ask(access, '/v1/models')).status).toBe(200)
  })

  const domain = {
    ONEAPP_COPILOT_DOMAIN: 'copilot.example.com',
    ONEAPP_COPILOT_TLS_ACME_URL: 'https://127.0.0.1:1/directory',
  }

  it('a domain without a reachable ACME server: reported; a new CA for that name is announced; nginx reloads', async () => {
    const before = await snapshot(vm)
    const fingerprints = [new X509Certificate(readFileSync(access.ca)).fingerprint256]
    expect(await contextualize({ ...settled, ...domain })).toBe('bootstrap_success')
    access = await readAccess(vm)
    fingerprints.push(new X509Certificate(readFileSync(access.ca)).fingerprint256)
    const after = await snapshot(vm)
    expect(after.services['slm-copilot.service']).toBe(before.services['slm-copilot.service'])
    expect(after.services['nginx workers']).not.toBe(before.services['nginx workers'])
    const resolve = `copilot.example.com:${vm.ports.https}:127.0.0.1`
    const url = `https://copilot.example.com:${vm.ports.https}/health`
    const answer = execFileSync('curl', ['-sS', '--cacert', access.ca, '--resolve', resolve, url], {
      encoding: 'utf8',
    })
    expect(JSON.parse(answer)).toEqual({ status: 'ok' })
    const report = await sshOutput(vm, 'cat /etc/one-appliance/config')
    for (const fingerprint of fingerprints) expect(report).toContain(fingerprint)
    expect(report).toMatch(/No certificate from the ACME server .* The VM's own certificate is in use/)
    const banner = await sshOutput(vm, 'bash -lic true 2> /dev/null')
    expect(banner).toContain('This VM has a new CA')
    expect(Math.max(...banner.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  })

  it('a model that is not in the image: in report and log, no service touched; then no longer requested', async () => {
    const before = await snapshot(vm)
    const lines = await linesOfLog()
    const wanted = { ...settled, ...domain, ONEAPP_COPILOT_MODEL: 'caller' }
    expect(await contextualize(wanted)).toBe('bootstrap_success')
    expect((await snapshot(vm)).services).toEqual(before.services)
    const said = 'caller is not in the image: serving sentence until it is downloaded and answers.'
    expect(await logSince(lines)).toContain(said)
    expect(await sshOutput(vm, 'cat /etc/one-appliance/config')).toContain(said)
    expect(await contextualize({ ...settled, ...domain })).toBe('bootstrap_success')
    const state = 'systemctl show --property ActiveState --value slm-copilot-model'
    expect(await sshOutput(vm, `while [ "$(${state})" = deactivating ]; do sleep 0.2; done; ${state}`)).toBe(
      'inactive\n',
    )
  })

  it('an invalid one: all problems are named, nothing changes, the service continues, READY is not reported', async () => {
    const before = await snapshot(vm)
    const lines = await linesOfLog()
    const bad = {
      ONEAPP_COPILOT_PASSWORD: 'short',
      ONEAPP_COPILOT_CONTEXT_SIZE: '4k',
      ONEAPP_COPILOT_THREADS: '-1',
      ONEAPP_COPILOT_DOMAIN: 'x',
      ONEAPP_COPILOT_MODEL: 'zork',
    }
    expect(await contextualize(bad)).toBe('configure_failure')
    const log = await logSince(lines)
    for (const name of Object.keys(bad)) expect(log).toContain(name)
    expect(log).toMatch(/\[ERROR\].*5 problems/)
    expect(await snapshot(vm)).toEqual(before)
    expect((await ask(access, '/v1/models')).status).toBe(200)
    expect(isReportedReady(vm)).toBe(false)
    expect(await contextualize(settled)).toBe('bootstrap_success')
    expect(isReportedReady(vm)).toBe(true)
  })
})

describe('failures', () => {
  it('llama-server killed: it is restarted, and the next bootstrap leaves it alone', async () => {
    await sshOutput(vm, 'kill -9 $(pgrep llama-server)')
    await expect.poll(() => isReportedReady(vm), { timeout: 600_000 }).toBe(false)
    await untilServing(access)
    await expect.poll(() => isReportedReady(vm), { timeout: 600_000 }).toBe(true)
    const before = await snapshot(vm)
    expect((await runStage(vm, 'configure')).code).toBe(0)
    expect((await runStage(vm, 'bootstrap')).code).toBe(0)
    expect((await snapshot(vm)).services).toEqual(before.services)
  })

  it('a model that does not load: the stage fails with the reason and what to do, and succeeds after the fix', async () => {
    const model = '/opt/slm-copilot/models/sentence.gguf'
    await sshOutput(vm, `mv ${model} ${model}.away && systemctl restart slm-copilot`)
    const { code, stdout } = await runStage(vm, 'bootstrap')
    expect(code).not.toBe(0)
    expect(stdout).toMatch(/\[ERROR\].*llama-server|slm-copilot\.service does not/)
    expect(stdout).toContain('journalctl -u slm-copilot.service')
    await sshOutput(vm, `mv ${model}.away ${model}`)
    expect((await runStage(vm, 'bootstrap')).code).toBe(0)
    expect((await ask(access, '/v1/models')).status).toBe(200)
  })
})

it('the key is in its own files and nowhere else', async () => {
  const key = canary()
  expect(await contextualize({ ONEAPP_COPILOT_PASSWORD: key })).toBe('bootstrap_success')
  access = await readAccess(vm)
  expect((await ask(access, '/v1/models')).status).toBe(200)
  await ask(access, `/v1/models`, { headers: { authorization: 'Bearer wrong-wrong-wrong' } })
  // The key is passed on stdin: a grep with the key in its arguments would find itself.
  const search =
    'f=$(mktemp /run/k.XXXX); cat > $f; grep -rlF -f $f /etc /opt /root /home /tmp /usr/local /var /run /proc/[0-9]*/cmdline 2> /dev/null | grep -v ^$f; journalctl -b | grep -cF -f $f; rm $f'
  const found = (await ssh(vm, search, key)).stdout.trim().split('\n').sort()
  expect(found.filter(path => !path.startsWith('/run/one-context/'))).toEqual(
    ['/etc/nginx/slm-copilot.conf', '/etc/one-appliance/config', '/var/lib/slm-copilot/password', '0'].sort(),
  )
})
