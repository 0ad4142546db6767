/** Requests to the appliance in a VM like those of its clients, and the state that a stage may change. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { paths, units } from '../../lib/appliance/paths.ts'
import { type HttpAnswer, type HttpRequest, http } from '../../lib/system/http.ts'
import type { AccessFiles } from './access.ts'
import type { Machine } from './machine.ts'
import { sshOutput } from './ssh.ts'

/** Sends a request with the key, trusting only the VM's CA. The timeout is generous: the VM may be emulated. */
export const ask = (
  access: AccessFiles,
  path: string,
  request: Partial<HttpRequest> = {},
): Promise<HttpAnswer> =>
  http({
    url: `${access.endpoint}${path}`,
    ca: readFileSync(access.ca, 'utf8'),
    headers: { authorization: `Bearer ${readFileSync(access.key, 'utf8').trim()}` },
    timeout: 120,
    ...request,
  })

/** Waits until /health answers 200, for at most a quarter of an hour. */
export async function untilServing(access: AccessFiles): Promise<void> {
  const deadline = Date.now() + 900_000
  for (;;) {
    const status = await ask(access, '/health').then(
      answer => answer.status,
      () => 0,
    )
    if (status === 200) return
    if (Date.now() > deadline) throw new Error(`the appliance does not serve: /health answered ${status}`)
    await setTimeout(500)
  }
}

/** Waits until this model serves, and whatever downloaded and verified it has ended: while it works it is `activating`. */
export const untilModelServes = (machine: Machine, name: string): Promise<string> =>
  sshOutput(
    machine,
    `until grep -q '^model .*${name}' ${paths.report} && [ "$(systemctl show -P ActiveState ${units.model})" = inactive ]
     do sleep 0.2; done`,
  )

/** Bytes that the plan in force takes for llama-server. */
export async function plannedBytes(machine: Machine): Promise<number> {
  const { system: _, ...server } = JSON.parse(await sshOutput(machine, `cat ${paths.plan}`)).capacity.memory
  return Object.values(server as Record<string, number>).reduce((sum, bytes) => sum + bytes, 0)
}

/** A key that occurs nowhere else. */
export const canary = () => `canary-${randomBytes(9).toString('hex')}`

/** `services`: values that differ after a restart, and for nginx after a reload. `files`: with modification times. */
export type Snapshot = { services: Record<string, string>; files: string[] }

const owned = [
  '/etc/slm-copilot',
  '/etc/nginx',
  '/etc/ssl/slm-copilot',
  '/var/lib/slm-copilot',
  '/etc/systemd/system',
  '/etc/profile.d',
  '/etc/logrotate.d',
  '/etc/one-appliance/config',
  '/etc/one-appliance/service.d',
  '/opt/slm-copilot',
  '/opt/one-appliance',
  '/var/www',
].join(' ')

/** What is shown while the appliance does not serve, which is so during the stages; and the folder that it is in. */
const changing = '^/var/lib/slm-copilot( |/message-of-the-day)'

/** The state that a stage which changes nothing must not touch. */
export async function snapshot(machine: Machine): Promise<Snapshot> {
  const text = await sshOutput(
    machine,
    `systemctl show --property InvocationID --value slm-copilot nginx | grep .
     pgrep -d , -P "$(cat /run/nginx.pid)"
     find ${owned} -printf '%p %y %m %i %T@ %C@\\n' | sort | grep -vE '${changing}'`,
  )
  const [llama = '', nginx = '', workers = '', ...files] = text.trimEnd().split('\n')
  return {
    services: { 'slm-copilot.service': llama, 'nginx.service': nginx, 'nginx workers': workers },
    files,
  }
}

/** The files that a boot must not change. The report contains the speed, which is measured after each start. */
export const filesKeptByBoot = async (machine: Machine): Promise<string[]> =>
  (await snapshot(machine)).files.filter(line => !/\/run\/|^\/etc\/one-appliance\/config /.test(line))
