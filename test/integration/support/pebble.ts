/** Pebble, Let's Encrypt's ACME server for tests, with a DNS server that resolves every name to 127.0.0.1. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { http } from '../../../lib/system/http.ts'
import { freePort } from '../../../packer/build/ports.ts'
import { watch } from '../../../packer/build/watch.ts'
import { issued } from '../../support/certificates.ts'
import { rightClock } from '../../support/clock.ts'

export type Pebble = {
  directory: string
  /** PEM of the CA that signed its own server certificate. */
  ca: string
  /** PEM of the root CA of the certificates that it issues. */
  root: string
  /** Makes a name resolve to another address. */
  pointTo: (name: string, address: string) => Promise<void>
  stop: () => Promise<void>
}

/** Starts both; challenges are validated at `httpPort`. */
export async function startPebble(httpPort: number): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-pebble-'))
  const names = { dns: ['localhost'], ip: ['127.0.0.1'] }
  const { ca, leaf } = issued(names, rightClock(new Date()))
  const ports = {
    acme: await freePort(),
    pebble: await freePort(),
    dns: await freePort(),
    names: await freePort(),
  }
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const configuration = {
    pebble: {
      listenAddress: `127.0.0.1:${ports.acme}`,
      managementListenAddress: `127.0.0.1:${ports.pebble}`,
      certificate: file('chain.pem', leaf.certificate),
      privateKey: file('key.pem', leaf.key),
      httpPort,
      tlsPort: await freePort(),
    },
  }
  const addresses = [
    ...['-dns01', `127.0.0.1:${ports.dns}`, '-management', `127.0.0.1:${ports.names}`],
    ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''],
  ]
  const dns = watch(spawn('pebble-challtestsrv', addresses, { stdio: ['ignore', 'pipe', 'pipe'] }))
  const config = file('pebble.json', JSON.stringify(configuration))
  const pebble = watch(
    spawn('pebble', ['-config', config, '-dnsserver', `127.0.0.1:${ports.dns}`], {
      // By default, it delays validations at random, and rejects nonces at random.
      env: { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0', PEBBLE_AUTHZREUSE: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )
  const directory = `https://127.0.0.1:${ports.acme}/dir`
  const get = (url: string) => http({ url, ca: ca.certificate, timeout: 10 })
  await pebble.until(() =>
    get(directory).then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  return {
    directory,
    ca: ca.certificate,
    root: (await get(`https://127.0.0.1:${ports.pebble}/roots/0`)).body,
    pointTo: async (host, address) => {
      const json = { host: `${host}.`, addresses: [address] }
      for (const act of ['clear-a', 'add-a'])
        await http({ url: `http://127.0.0.1:${ports.names}/${act}`, json, timeout: 10 })
    },
    stop: async () => {
      await pebble.stop()
      await dns.stop()
      rmSync(folder, { recursive: true })
    },
  }
}
