/**
 * From its first boot on, an appliance sends nothing that nobody asked for: captured outside of it, on its cable. With
 * SOVEREIGNTY_SECONDS=3600, as in the nightly run, for an hour.
 */
import { setTimeout } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import { packetsOf } from './capture.ts'
import { hostSeenByGuest, type Machine } from './machine.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

/** How long to watch once it serves. */
const seconds = Number(process.env.SOVEREIGNTY_SECONDS ?? 60)

let machine: Machine

beforeAll(async () => {
  machine = await readyContainer('sovereign')
})

/** What a machine has to say to find its address, its neighbours and routers; and OneGate, which the context names. */
const expected = () =>
  [
    'arp',
    'udp src port 68 and dst port 67',
    'udp src port 546 and dst port 547',
    'icmp6 and (ip6[40] == 133 or ip6[40] == 135 or ip6[40] == 136)',
    // Multicast listener reports, which neighbour discovery needs (RFC 3810).
    'dst host ff02::16',
    `tcp and dst host ${hostSeenByGuest} and dst port ${machine.ports.oneGate}`,
  ]
    .map(each => `(${each})`)
    .join(' or ')

it('sends nothing but DHCP, neighbour discovery and OneGate', {
  timeout: (seconds + 1800) * 1000,
}, async () => {
  await setTimeout(seconds * 1000)
  expect(packetsOf(machine, `not (${expected()})`)).toEqual([])
  // The capture works.
  expect(packetsOf(machine, 'udp dst port 67')).not.toEqual([])
  expect(packetsOf(machine, `tcp dst port ${machine.ports.oneGate}`)).not.toEqual([])
})

it('would be seen if it looked up a name, or connected to anything', async () => {
  await ssh(machine, 'getent ahosts phone-home.example; curl --max-time 1 http://192.0.2.1/')
  const strange = packetsOf(machine, `not (${expected()})`).join('\n')
  expect(strange).toContain('phone-home.example')
  expect(strange).toContain('192.0.2.1.80')
})

it('connects to the package archive only if the context asks for it', async () => {
  const timers = () => sshOutput(machine, "systemctl list-timers --no-legend 'apt-*' | wc -l")
  expect((await timers()).trim()).toBe('0')
  const stages = (context: string) =>
    sshOutput(
      machine,
      `echo '${context}' > /root/context; slm-copilot configure --context-file /root/context && slm-copilot bootstrap`,
    )
  await stages('ONEAPP_COPILOT_UNATTENDED_UPGRADES=YES')
  expect((await timers()).trim()).toBe('2')
  const origins = 'apt-config dump Unattended-Upgrade::Origins-Pattern Unattended-Upgrade::Allowed-Origins'
  expect(await sshOutput(machine, origins)).not.toMatch(/label=Debian"|\$\{distro_codename\},|-updates/)
  await stages('ONEAPP_COPILOT_UNATTENDED_UPGRADES=NO')
  expect((await timers()).trim()).toBe('0')
  expect(await sshOutput(machine, 'systemctl --failed --no-legend --plain')).not.toMatch(/apt-|unattended/)
})
