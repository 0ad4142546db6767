/** Requests to the appliance in a VM, as its clients send them, and what a stage changed. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type HttpAnswer, type HttpRequest, http } from '../../lib/system/http.ts'
import type { Access } from './access.ts'
import { sshOutput } from './ssh.ts'
import type { Vm } from './vm.ts'

/** Asks with the key, and trust in the VM's CA alone; seconds are generous, since the VM may be emulated. */
export const ask = (access: Access, path: string, request: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  http({
    url: `${access.endpoint}${path}`,
    ca: readFileSync(access.ca, 'utf8'),
    headers: { authorization: `Bearer ${readFileSync(access.key, 'utf8').trim()}` },
    timeout: 120,
    ...request,
  })

/** Waits until the appliance answers 200 on its health; for a quarter of an hour at most. */
export async function untilServing(access: Access): Promise<void> {
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

/** A key that occurs nowhere else. */
export const canary = () => `canary-${randomBytes(9).toString('hex')}`

/** `services`: a value that differs after a restart, and for nginx one that differs after a reload. `files`: with times. */
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

/** What a stage that changes nothing leaves as it is. */
export async function snapshot(vm: Vm): Promise<Snapshot> {
  const text = await sshOutput(
    vm,
    `systemctl show --property InvocationID --value slm-copilot nginx | grep .
     pgrep -d , -P "$(cat /run/nginx.pid)"
     find ${owned} -printf '%p %y %m %i %T@ %C@\\n' | sort`,
  )
  const [llama = '', nginx = '', workers = '', ...files] = text.trimEnd().split('\n')
  return {
    services: { 'slm-copilot.service': llama, 'nginx.service': nginx, 'nginx workers': workers },
    files,
  }
}
