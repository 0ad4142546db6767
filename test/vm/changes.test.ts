/** Answers of minutes, through all that is changed while an appliance serves: each ends complete. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { type SlowServer, startSlowServer } from '../mirror/slow-server.ts'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, untilModelServes } from './client.ts'
import { changeContext } from './context.ts'
import { helpers } from './faults.ts'
import { beginLongAnswer } from './long-answer.ts'
import { hostSeenByGuest, type Machine, stopMachine } from './machine.ts'
import { contextualizeNow } from './ready.ts'
import { readyContainer } from './shared.ts'
import { publicKey, sshOutput } from './ssh.ts'

const domain = 'copilot.example.com'
const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1' }

let machine: Machine
let access: AccessFiles
let server: SlowServer
let context: Record<string, string>

const run = (command: string) => sshOutput(machine, `${helpers}\nset -e\n${command}`)

beforeAll(async () => {
  const path = await wideSentenceModel()
  const file = readFileSync(path)
  server = await startSlowServer({ '/wide.gguf': file })
  machine = await readyContainer('changes')
  await offer(path, file)
  const mirror = `http://${hostSeenByGuest}:${server.port}`
  context = {
    ...{ ONEAPP_COPILOT_MODEL: 'wide', ONEAPP_COPILOT_MODEL_MIRROR: mirror },
    // The answer is to last, not to take all CPUs of this machine, which has other tests to run.
    ONEAPP_COPILOT_THREADS: '1',
  }
  await change({})
  // Not while it is being verified, either.
  await untilModelServes(machine, 'wide')
  access = await readAccess(machine)
})
afterAll(async () => {
  server?.close()
  // Its model is the slowest: it takes CPU time from other files.
  if (machine !== undefined) await stopMachine(machine.name)
})

/** Adds it to the catalogue of the image: of all test models it is the slowest. */
async function offer(path: string, file: Buffer): Promise<void> {
  const release = JSON.parse(await run(`cat ${paths.release}`))
  const { geometry } = await readModelFile(path)
  const sha256 = createHash('sha256').update(file).digest('hex')
  release.further.push({
    ...release.model,
    ...{ name: 'wide', url: 'http://example.org/wide.gguf', size: file.length, sha256, geometry },
  })
  await sshOutput(machine, `cat > ${paths.release}`, JSON.stringify(release))
}

/** Changes the context, and waits for the stages. Without a value, a variable is unset. */
async function change(variables: Record<string, string | undefined>): Promise<void> {
  for (const [name, value] of Object.entries(variables))
    if (value === undefined) delete context[name]
    else context[name] = value
  await changeContext(machine, context)
  expect(await contextualizeNow(machine)).toBe('bootstrap_success')
}

const statusWith = async (key: string) =>
  (await ask(await readAccess(machine), '/v1/models', { headers: { authorization: `Bearer ${key}` } })).status

/** What the certificate is for that clients are shown now. */
const certified = () =>
  run(
    'openssl s_client -connect 127.0.0.1:443 < /dev/null 2> /dev/null | openssl x509 -noout -serial -ext subjectAltName',
  )

const given = () => {
  const { leaf } = issued({ dns: [domain], ip: [] }, rightClock(new Date()))
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  return {
    ONEAPP_COPILOT_DOMAIN: domain,
    ONEAPP_COPILOT_TLS_CERT: base64(leaf.certificate),
    ONEAPP_COPILOT_TLS_KEY: base64(leaf.key),
  }
}

const install = (packages: string, ...options: string[]) =>
  run(`export DEBIAN_FRONTEND=noninteractive; apt-get -qq install -y ${options.join(' ')} ${packages} 2>&1`)
const masterOf = () => run('cat /run/nginx.pid')

/** As if the clock had been set: of whatever of the appliance looks at it between two stages. */
const commands = ['watchdog', 'renew', 'write-metrics', 'status']

const changes: Record<string, () => Promise<unknown>> = {
  'an SSH key is added': async () => {
    const another = publicKey().replace(/\S+$/, 'another')
    await change({ SSH_PUBLIC_KEY: `${publicKey()}\n${another}` })
    expect(await run('cat /root/.ssh/authorized_keys')).toContain(another)
  },
  'a network interface is attached': () =>
    run(`ip link add nic1 type veth peer name nic1-peer
      ip address add 10.9.8.7/24 dev nic1; ip link set nic1 up; ip link set nic1-peer up
      until_file_has '^10.9.8.7$' ${paths.addresses}; until_file_has https://10.9.8.7/v1 ${paths.report}`),
  'it is detached': () =>
    run(`ip link del nic1; lacks() { ! grep -q '^10.9.8.7$' ${paths.addresses}; }; until_true lacks`),
  'the password is rotated': async () => {
    const before = readFileSync(access.key, 'utf8').trim()
    await change({ ONEAPP_COPILOT_PASSWORD: 'another-password-$1' })
    expect(await Promise.all(['another-password-$1', before].map(statusWith))).toEqual([200, 401])
  },
  'a first developer gets a key': async () => {
    await change({ ONEAPP_COPILOT_KEYS: `alice=${keys.alice}` })
    expect(await statusWith(keys.alice)).toBe(200)
  },
  'another developer gets a key': async () => {
    await change({ ONEAPP_COPILOT_KEYS: `alice=${keys.alice}\nbob=${keys.bob}` })
    expect(await statusWith(keys.bob)).toBe(200)
  },
  'a developer’s key is removed': async () => {
    await change({ ONEAPP_COPILOT_KEYS: `bob=${keys.bob}` })
    expect(await Promise.all([keys.alice, keys.bob].map(statusWith))).toEqual([401, 200])
  },
  'the domain is set': async () => {
    // Nothing listens there: tests must not contact Let's Encrypt.
    await change({ ONEAPP_COPILOT_DOMAIN: domain, ONEAPP_COPILOT_TLS_ACME_URL: 'https://127.0.0.1:9/dir' })
    expect(await certified()).toContain(domain)
  },
  'the domain is unset': async () => {
    await change({ ONEAPP_COPILOT_DOMAIN: undefined })
    expect(await certified()).not.toContain(domain)
  },
  'a certificate is given': async () => {
    const before = await certified()
    await change(given())
    expect(await certified()).not.toBe(before)
  },
  'it is renewed': async () => {
    const before = await certified()
    await change(given())
    expect(await certified()).not.toBe(before)
  },
  'it is taken away': async () => {
    const names = Object.keys(given())
    await change(Object.fromEntries(names.map(name => [name, undefined])))
    expect(await certified()).not.toContain(domain)
  },
  'certbot runs its hook after a renewal': () => run(paths.deployHook),
  'the appliance’s own renewal runs': () => run('systemctl start slm-copilot-renew.service'),
  'all logs are rotated': () => run('logrotate --force /etc/logrotate.conf'),
  'apt installs nginx again': async () => {
    const before = await masterOf()
    await run('apt-get -qq update')
    await install('nginx nginx-common libnginx-mod-http-js', '--reinstall')
    // Its new program takes over.
    await expect.poll(masterOf, { timeout: 60_000 }).not.toBe(before)
  },
  'needrestart restarts what uses a replaced library': async () => {
    await install('needrestart')
    const invocations = () => run('systemctl show -P InvocationID slm-copilot slm-copilot-admission')
    const before = await invocations()
    const said = await install('libssl3t64 libc6', '--reinstall')
    // After apt it runs by itself. As long as nginx's program from before the last row ends its streams, it takes no other.
    expect(said).toMatch(/needrestart\/restart\.d\/nginx\.service.*deferred:.*systemctl restart slm-copilot/s)
    expect(await invocations()).toBe(before)
  },
  'the clock is an hour behind': async () => {
    await install('faketime')
    for (const command of commands) await run(`faketime -f -1h /opt/one-appliance/bin/slm-copilot ${command}`)
  },
  'the framework runs both stages again': async () => {
    await run('one-contextd all force')
    expect(await run(`cat ${paths.frameworkStatus}`)).toBe('bootstrap_success\n')
  },
}

const linesOfLog = async () => Number(await run(`wc -l < ${paths.log}`))
/** What the stages have done to services after this line of the log. */
const actionsSince = async (lines: number) => {
  const log = await run(`tail -n +${lines + 1} ${paths.log}`)
  // chrony cannot run in a container, and is started each time.
  const actions = [...log.matchAll(/((?:slm-copilot|nginx)[\w-]*)\.service: (start|restart|reload)$/gm)]
  return [...new Set(actions.map(([, unit, action]) => `${unit} ${action}`))].join(', ') || '-'
}

it('a stream lives through every change, and ends complete', { timeout: 30 * 60_000 }, async () => {
  const rows: string[] = []
  const begun = Date.now()
  let answer = await beginLongAnswer(machine, 120)
  let answers = 1
  for (const [what, how] of Object.entries(changes)) {
    // The machine may have become faster.
    if (answer.hasEnded()) {
      answer = await beginLongAnswer(machine, 45)
      answers += 1
    }
    const start = Date.now()
    const [lines, before] = [await linesOfLog(), answer.received()]
    await how()
    const seconds = ((Date.now() - start) / 1000).toFixed(1)
    const meanwhile = answer.received() - before
    const row = `${what} | ${seconds} | ${await actionsSince(lines)} | ${meanwhile} tokens meanwhile`
    await answer.untilMore().catch(error => {
      throw new Error(`${row}: ${error.message}`, { cause: error })
    })
    rows.push(row)
    console.log(row)
  }
  await answer.untilComplete()
  const total = Math.round((Date.now() - begun) / 1000)
  console.log(
    `change | seconds | services | stream\n${rows.join('\n')}\n${answers === 1 ? 'The answer was' : `${answers} answers, each`} complete, after ${total} s`,
  )
})
