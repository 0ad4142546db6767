/** A model that is not in the image: downloaded while the baked-in one serves, resumed, verified; or failing. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sentence, sentenceModel } from '../mirror/sentence-model.ts'
import { type SlowServer, startSlowServer } from '../mirror/slow-server.ts'
import { readCall, toolModel } from '../mirror/tool-model.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask } from './client.ts'
import { changeContext } from './context.ts'
import { hostSeenByGuest, type Machine } from './machine.ts'
import { contextualizeNow, reboot } from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const kB = 1000
const release = '/opt/slm-copilot/release.json'
const models = '/opt/slm-copilot/models'

/** A file with the right digest that llama-server cannot load. */
const garbage = randomBytes(400 * kB)

let files: Record<string, Buffer>
let server: SlowServer
let vm: Machine
let access: AccessFiles
let wishes: Record<string, string>

beforeAll(async () => {
  vm = await readyContainer()
  access = await readAccess(vm)
  const caller = readFileSync(await toolModel())
  files = { '/models/caller.gguf': caller, '/models/garbage.gguf': garbage }
  server = await startSlowServer(files)
  // Slow enough for the tests to act during the download, however slow the VM is.
  server.setSpeed(200 * kB, 2000 * kB)
  wishes = {
    ONEAPP_COPILOT_MODEL: 'caller',
    ONEAPP_COPILOT_MODEL_MIRROR: `http://${hostSeenByGuest}:${server.port}/models`,
  }
})
afterAll(() => server.close())

const report = () => sshOutput(vm, 'cat /etc/one-appliance/config')
const banner = () => sshOutput(vm, 'bash -lic true 2> /dev/null')
const log = () => sshOutput(vm, 'cat /var/log/one-appliance/slm-copilot.log')
const status = () => ssh(vm, '/opt/one-appliance/bin/slm-copilot status')

const served = async () => {
  const answer = await ask(access, '/v1/models')
  return answer.status === 200 ? JSON.parse(answer.body).data[0].id : answer.status
}

async function contextualize(context: Record<string, string>): Promise<string> {
  await changeContext(vm, context)
  return contextualizeNow(vm)
}

/** Ends the row after five minutes: no step here takes as long, and the row after it has a chance. */
async function until(look: () => boolean | Promise<boolean>) {
  const end = Date.now() + 300_000
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`After five minutes still not: ${look}`)
    await setTimeout(500)
  }
}

/** Waits until the download has been resumed with a range. */
const resumed = (since: number, from: number) =>
  until(() => server.asked.slice(since).some(asked => asked.from > from))

it('serves the baked-in one meanwhile, and says so', async () => {
  expect(await contextualize(wishes)).toBe('bootstrap_success')
  expect(await served()).toBe('sentence')
  const said = 'caller is not in the image: serving sentence until it is downloaded and answers.'
  expect(await report()).toContain(said)
  expect(await banner()).toContain('caller is not in the image')
})

it('shows everybody the progress', async () => {
  await until(async () => /Downloading caller: \d+ %, (about|less)/.test(await banner()))
  const { stdout, code } = await status()
  console.log(stdout)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^SLM-Copilot is serving sentence\.$/m)
  expect(stdout).toMatch(/pending +Downloading caller: \d+ %/)
  expect(
    Math.max(...`${stdout}\n${await banner()}`.split('\n').map(line => line.length)),
  ).toBeLessThanOrEqual(80)
})

it('does not delay a context change, after which the download continues', async () => {
  await until(() => server.sent() > 2000 * kB)
  wishes.ONEAPP_COPILOT_CONTEXT_SIZE = '4096'
  const before = server.asked.length
  expect(await contextualize(wishes)).toBe('bootstrap_success')
  await resumed(before, 1000 * kB)
  expect(await served()).toBe('sentence')
})

it('resumes by itself after curl was killed, and after the server disconnected', async () => {
  server.setSpeed(200 * kB, 4000 * kB)
  await until(() => server.sent() > 4000 * kB)
  let before = server.asked.length
  await sshOutput(vm, 'kill -9 $(pgrep -x curl)')
  await until(async () => /caller is not downloaded yet: .* killed by signal 9\./.test(await log()))
  await resumed(before, 2000 * kB)

  server.setSpeed(200 * kB, 6000 * kB)
  await until(() => server.sent() > 6000 * kB)
  before = server.asked.length
  server.hangUp()
  await resumed(before, 4000 * kB)
  server.setSpeed(1000 * kB)
})

it('switches to it once it has passed verification, and says so', async () => {
  await until(async () => (await report()).match(/^model += caller$/m) !== null)
  expect(await served()).toBe('caller')
  expect(await report()).not.toContain('not in this image')
  expect(await banner()).not.toMatch(/Downloading|not in this image/)
  const tools = [
    {
      type: 'function',
      function: {
        name: readCall.name,
        parameters: { type: 'object', properties: { filePath: { type: 'string' } }, required: ['filePath'] },
      },
    },
  ]
  const json = { messages: [{ role: 'user', content: 'What is in hello.py?' }], tools }
  const { message } = JSON.parse((await ask(access, '/v1/chat/completions', { json })).body).choices[0]
  expect(message.tool_calls[0].function).toEqual(readCall)
  expect((await status()).stdout).not.toMatch(/^ *pending /m)
  expect(await log()).toMatch(
    /\d+% of 9\.0 MB, .*caller is downloaded: verifying that it answers.*stream: .*caller passed the smoke test/s,
  )
  expect(await sshOutput(vm, 'cat /etc/one-appliance/status')).toBe('bootstrap_success\n')
})

it('serves the baked-in one again if another does not load, says why, and does not retry without reason', async () => {
  const sha256 = createHash('sha256').update(garbage).digest('hex')
  const installed = JSON.parse(await sshOutput(vm, `cat ${release}`))
  const { geometry, contextLimit } = installed.model
  const entry = {
    name: 'garbage',
    url: 'http://x/garbage.gguf',
    size: garbage.length,
    sha256,
    contextLimit,
    geometry,
  }
  installed.further.push(entry)
  await sshOutput(vm, `cat > ${release}`, JSON.stringify(installed, null, 2))
  expect(await contextualize({ ...wishes, ONEAPP_COPILOT_MODEL: 'garbage' })).toBe('bootstrap_success')
  await until(async () => (await report()).includes('garbage is not served'))

  expect(await served()).toBe('sentence')
  const why = 'garbage is not served: llama-server ended while it was loading the model. Serving sentence.'
  for (const said of [await report(), await banner()]) expect(said.replace(/\s+/g, ' ')).toContain(why)
  expect(await log()).toMatch(
    /\[ERROR\] garbage is not served: .*llama-server.*\[ERROR\] +The end of its journal/s,
  )
  expect((await status()).code).toBe(0)

  const verifications = async () => (await log()).match(/garbage is downloaded: verifying/g)?.length
  expect(await verifications()).toBe(1)
  const asked = server.asked.length
  expect((await reboot(vm)).status).toBe('bootstrap_success')
  expect(await served()).toBe('sentence')
  expect(await sshOutput(vm, 'systemctl show --property ActiveState --value slm-copilot-model')).toBe(
    'inactive\n',
  )
  expect(await verifications()).toBe(1)

  await sshOutput(vm, '/opt/one-appliance/bin/slm-copilot fetch-model --retry')
  await until(async () => (await verifications()) === 2 && /not served/.test(await report()))
  expect(server.asked.length).toBe(asked)
})

it('serves a previously downloaded one at once', async () => {
  expect(await contextualize(wishes)).toBe('bootstrap_success')
  expect(await served()).toBe('caller')
  expect(await sshOutput(vm, `ls ${models}`)).toBe('caller.gguf\ngarbage.gguf\nsentence.gguf\n')
})

it('serves nothing during a download if the baked-in one is too large for the VM, and says so', async () => {
  const installed = JSON.parse(await sshOutput(vm, `cat ${release}`))
  installed.model.geometry.layers = 2 ** 20
  await sshOutput(vm, `cat > ${release}; rm -f ${models}/caller.gguf`, JSON.stringify(installed, null, 2))
  server.setSpeed(1000 * kB, 1000 * kB)
  expect(await contextualize({ ...wishes, ONEAPP_COPILOT_THREADS: '1' })).toBe('bootstrap_failure')
  const why =
    'caller is not in the image, and no installed model fits: nothing is served until it is downloaded'
  for (const said of [await report(), await banner(), await log()])
    expect(said.replace(/\s+/g, ' ')).toContain(why)
  expect(await banner()).toContain('model caller')
  expect(await served()).toBe(503)
  await until(async () => /^ *pending +Downloading caller/m.test((await status()).stdout))
  const { stdout, code } = await status()
  console.log(stdout)
  expect(code).toBe(1)
  expect(stdout).toMatch(/^SLM-Copilot is not serving\.$/m)

  server.setSpeed(1000 * kB)
  await until(async () => !(await report()).includes('nothing is served'))
  expect(await served()).toBe('caller')
  expect((await status()).code).toBe(0)
  expect(await sshOutput(vm, 'systemctl is-enabled slm-copilot')).toBe('enabled\n')
  expect(await contextualize(wishes)).toBe('bootstrap_success')
  expect(await served()).toBe('caller')
})

it('serves a previously downloaded one if the baked-in one is too large, and another does not load', async () => {
  expect(await contextualize({ ...wishes, ONEAPP_COPILOT_MODEL: 'garbage' })).toBe('bootstrap_success')
  await until(async () => (await report()).includes('garbage is not served'))
  expect(await served()).toBe('caller')
  expect(await report()).toMatch(/garbage is not served: .* Serving caller\. To try again/)
})

/** The baked-in model's file with something after it: other digests, so that it is not known by them. */
const ownFile = async (added: number) =>
  Buffer.concat([readFileSync(await sentenceModel()), Buffer.alloc(added)])
const digestOf = (file: Buffer) => createHash('sha256').update(file).digest('hex')
const ownModel = (url: string, file: Buffer) => ({
  ONEAPP_COPILOT_MODEL_URL: url.replace(/^\//, `http://${hostSeenByGuest}:${server.port}/`),
  ONEAPP_COPILOT_MODEL_SHA256: digestOf(file),
})

it('serves a model by URL and digest once its header is read, and says whose business its licence is', async () => {
  const file = await ownFile(32)
  files['/own/My_Own.gguf'] = file
  server.setSpeed(1000 * kB)
  const before = server.asked.length
  expect(await contextualize(ownModel('/own/My_Own.gguf', file))).toBe('bootstrap_success')
  expect(server.asked[before]).toEqual({ path: '/own/My_Own.gguf', from: 0 })
  await until(async () => (await report()).match(/^model += my-own$/m) !== null)
  expect(await served()).toBe('my-own')
  expect(await report()).toMatch(
    /^licence += a model of your own: whether you may use it is for you to check/m,
  )
  expect((await status()).code).toBe(0)
  const json = { messages: [{ role: 'user', content: 'Hello' }] }
  const { body } = await ask(access, '/v1/chat/completions', { json })
  expect(JSON.parse(body).choices[0].message.content).toBe(sentence)
  const { stdout } = await ssh(vm, '/opt/one-appliance/bin/slm-copilot models; slm-copilot verify')
  console.log(await report(), stdout)
  expect(stdout).toMatch(/^my-own {2}\(being served\)/m)
})

it('serves on what it has, if a file by URL is no model, and does not download it', async () => {
  // Not the one above, which is known by its digest.
  const page = randomBytes(400 * kB)
  files['/own/page.gguf'] = page
  expect(await contextualize(ownModel('/own/page.gguf', page))).toBe('bootstrap_success')
  expect((await report()).replace(/\s+/g, ' ')).toMatch(
    /page\.gguf cannot be used as a model: it is not a GGUF file\. Serving/,
  )
  expect(await served()).not.toBe('page')
  expect((await status()).stdout).not.toMatch(/^ *pending /m)
})

it('asks again until the header of a model by URL can be read', async () => {
  const file = await ownFile(64)
  expect(await contextualize(ownModel('/own/late.gguf', file))).toBe('bootstrap_success')
  expect((await report()).replace(/\s+/g, ' ')).toMatch(/returned error: 404\. Check the URL\. Serving/)
  expect((await status()).stdout).toMatch(/^ *pending /m)
  files['/own/late.gguf'] = file
  await until(async () => (await served()) === 'late')
})

it('takes a model from a disk', async () => {
  const file = await ownFile(96)
  await sshOutput(vm, 'mkdir -p /mnt/disk; cat > /mnt/disk/local.gguf', file)
  expect(await contextualize(ownModel('file:///mnt/disk/local.gguf', file))).toBe('bootstrap_success')
  await until(async () => (await served()) === 'local')
  expect(await sshOutput(vm, `ls ${models}`)).toContain('local.gguf\n')
})

it('keeps its last good configuration if the digest is missing', async () => {
  const { ONEAPP_COPILOT_MODEL_URL } = ownModel('/own/late.gguf', garbage)
  expect(await contextualize({ ONEAPP_COPILOT_MODEL_URL })).toBe('configure_failure')
  expect(await log()).toMatch(/ONEAPP_COPILOT_MODEL_SHA256\s.*got nothing/s)
  expect(await served()).toBe('local')
})

it('has a sandboxed unit', async () => {
  const verdict = await sshOutput(
    vm,
    'systemd-analyze security slm-copilot-model.service --no-pager | tail -n 1',
  )
  console.log(verdict.trim())
  expect(Number(verdict.match(/: ([\d.]+) /)?.[1])).toBeLessThanOrEqual(4.5)
})
