/** Logs are forwarded over TLS to a real rsyslogd, if the context asks for it; without it, nothing is started. */
import { beforeAll, expect, it } from 'vitest'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { readAccess } from './access.ts'
import { ask, canary } from './client.ts'
import type { Machine } from './machine.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const name = 'log.example.org'
const pairFor = (dns: string) => issued({ dns: [dns], ip: [] }, rightClock(new Date()))
const right = pairFor(name)
const stranger = pairFor(name)
const misnamed = pairFor('other.example.org')

let machine: Machine
const run = (command: string, input = '') => sshOutput(machine, command, input)

beforeAll(async () => {
  machine = await readyContainer('syslog')
  await run(`echo 127.0.0.1 ${name} >> /etc/hosts; mkdir /root/receiver; cat > /root/receiver/conf`, receiver)
})

/** rsyslogd again, as the administrator's log server would run it. */
const receiver = `global(
  workDirectory="/root/receiver" defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="/root/receiver/ca"
  defaultNetstreamDriverCertFile="/root/receiver/cert" defaultNetstreamDriverKeyFile="/root/receiver/key"
)
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" port="6514")
action(type="omfile" file="/root/receiver/received" template="RSYSLOG_SyslogProtocol23Format")
`

/** Starts the receiver with a certificate; what it had received before is gone. */
async function startReceiver({ leaf, ca }: typeof right): Promise<void> {
  await run('cat > /root/receiver/cert', leaf.certificate)
  await run('cat > /root/receiver/key', leaf.key)
  await run('cat > /root/receiver/ca', ca.certificate)
  await run(`: > /root/receiver/received
    systemd-run --quiet --collect --unit=receiver rsyslogd -n -iNONE -f /root/receiver/conf
    until ss -Hltn 'sport = :6514' | grep -q .; do sleep 0.1; done`)
}
const stopReceiver = () => run('systemctl stop receiver')
const received = () => run('cat /root/receiver/received')
const journal = (options = '') => run(`journalctl -b -u slm-copilot-syslog -o cat --no-pager ${options}`)

const ownContext = '/root/context'
/** Runs both stages with these variables besides the machine's own. */
async function stages(variables: Record<string, string>): Promise<string> {
  const text = Object.entries(variables).map(([key, value]) => `${key}='${value}'\n`)
  return run(
    `cat /run/one-context/one_env - > ${ownContext}
     slm-copilot configure --context-file ${ownContext} && slm-copilot bootstrap`,
    text.join(''),
  )
}
const forwarding = (ca = right.ca.certificate) => ({
  ONEAPP_COPILOT_SYSLOG: `tls://${name}`,
  ONEAPP_COPILOT_SYSLOG_CA: Buffer.from(ca).toString('base64'),
})

/** A request, whose prompt and answer must not be forwarded; returns its id in the log. */
async function request(prompt = 'Hi'): Promise<string> {
  const json = { messages: [{ role: 'user', content: prompt }], max_tokens: 2 }
  const { headers } = await ask(await readAccess(machine), '/v1/chat/completions', { json })
  return String(headers['x-request-id'])
}

const untilReceived = (text: string | RegExp) =>
  expect.poll(received, { timeout: 30_000, interval: 300 }).toMatch(text)

it('is off by default: neither its unit nor Debian’s runs', async () => {
  expect(await run('pgrep -c rsyslogd || true')).toBe('0\n')
  expect(await run('systemctl is-enabled slm-copilot-syslog rsyslog || true')).toBe('disabled\nmasked\n')
})

it('sends the request log, the stages’ warnings and the journal’s; no key, no prompt, nothing of others', async () => {
  await startReceiver(right)
  await stages(forwarding())
  const [prompt, other] = [canary(), canary()]
  const id = await request(prompt)
  await untilReceived(new RegExp(`slm-copilot-requests .* id=${id} .*path=/v1/chat/completions status=200`))
  await stages({ ...forwarding(), ONEAPP_COPILOT_PASSWROD: other })
  await untilReceived(/<13[0-7]>.*slm-copilot .*\[WARN\] ONEAPP_COPILOT_PASSWROD is not a variable/)
  await run(`logger -p user.err ${other}; systemctl kill -s KILL slm-copilot-admission`)
  await untilReceived(/systemd .*slm-copilot-admission\.service: Failed with result/)
  const key = (await run('cat /var/lib/slm-copilot/password')).trim()
  const text = await received()
  console.log(text.split('\n').slice(-6).join('\n'))
  for (const secret of [prompt, other, key, '[INFO]']) expect(text).not.toContain(secret)
})

it('keeps what it cannot send, slows nobody down, and sends it once the receiver is back', async () => {
  const start = (await run('date +%T')).trim()
  await stopReceiver()
  await run('until systemctl is-active -q slm-copilot-admission; do sleep 0.1; done')
  // What is on its way until the loss is noticed is lost: syslog has no acknowledgements.
  const noticed = async () => {
    await request()
    return journal(`--since ${start}`)
  }
  await expect.poll(noticed, { timeout: 60_000, interval: 500 }).toMatch(/'forward' suspended/)
  const ids: string[] = []
  for (let time = 0; time < 5; time += 1) ids.push(await request())
  await run('systemctl restart slm-copilot-syslog')
  ids.push(await request())
  await run('logrotate --force /etc/logrotate.d/slm-copilot')
  ids.push(await request())
  await startReceiver(right)
  for (const id of ids) await untilReceived(id)
})

it.each([
  ['by another CA', stranger, right, /certificate invalid: signer not found/],
  ['for another name', misnamed, misnamed, /peer name.*not authorized|not permitted to talk/],
])('sends nothing to a receiver with a certificate %s, and says why', async (_, pair, trusted, why) => {
  await stopReceiver()
  await startReceiver(pair)
  const start = (await run('date +%T')).trim()
  await stages(forwarding(trusted.ca.certificate))
  await request()
  await expect.poll(() => journal(`--since ${start}`), { timeout: 30_000 }).toMatch(why)
  expect(await received()).toBe('')
})

it('has a sandbox that hides keys, and takes little', async () => {
  const verdict = await run('systemd-analyze security slm-copilot-syslog.service --no-pager | tail -n 1')
  console.log(verdict.trim())
  expect(Number(verdict.match(/: ([\d.]+) /)?.[1])).toBeLessThanOrEqual(3)
  const inside = 'nsenter --mount --target "$(systemctl show -P MainPID slm-copilot-syslog)"'
  const { code, stdout } = await ssh(
    machine,
    `${inside} cat /etc/slm-copilot/syslog.conf /var/lib/slm-copilot/password`,
  )
  expect(code).not.toBe(0)
  expect(stdout).toContain('omfwd')
})

it('ends when it is switched off, and forgets what was waiting', async () => {
  await stages({})
  expect(
    await run('systemctl is-active slm-copilot-syslog; ls /var/lib/private /var/lib | grep syslog || true'),
  ).toBe('inactive\n')
})
