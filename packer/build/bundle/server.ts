/** Serves a bundle: to apt as an HTTP proxy, to the appliance's installation as a mirror. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalServer, startNginx } from '../local-nginx.ts'
import { type Bundle, contents } from './contents.ts'

/** nginx takes the host from the request's absolute URL (RFC 9112, 3.2.2), and so is a proxy for plain HTTP. */
const offline = (folder: string) => `
    location /${contents.files}/ {
      root ${folder};
    }
    location / {
      root ${folder}/${contents.debian}/$host;
    }`

/** Whatever is not there yet is fetched whole, and kept. */
const recording = (folder: string) => `
    resolver ${nameServers().join(' ')};
    location / {
      root ${folder}/${contents.debian}/$host;
      try_files $uri @archive;
    }
    location @archive {
      proxy_pass http://$http_host$request_uri;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header If-Modified-Since "";
      proxy_set_header Range "";
      proxy_store ${folder}/${contents.debian}/$host$uri;
      proxy_store_access user:rw group:r all:r;
    }`

/** nginx resolves names itself where they are only known at run time. */
const nameServers = (): string[] =>
  [...readFileSync('/etc/resolv.conf', 'utf8').matchAll(/^nameserver\s+(\S+)/gm)].map(([, address = '']) =>
    address.includes(':') ? `[${address}]` : address,
  )

/** A bundle that is being served; `key` changes with its content. */
export type ServedBundle = { port: number; key: string }

/** The server's address on this machine, and as a guest on QEMU's user network reaches it. */
export const onThisMachine = ({ port }: { port: number }) => `http://127.0.0.1:${port}`
export const fromGuests = ({ port }: { port: number }) => `http://10.0.2.2:${port}`

/** Runs `use` beside a server for the bundle, or without one. */
export const withBundle = <T>(
  bundle: Bundle | undefined,
  use: (served?: ServedBundle) => Promise<T>,
): Promise<T> =>
  bundle === undefined
    ? use()
    : withServer(bundle.folder, false, ({ port }) => use({ port, key: bundle.key }))

/** Runs `use` beside a server for this folder. `isRecording`: it keeps what it is asked for. */
export async function withServer<T>(
  folder: string,
  isRecording: boolean,
  use: (server: LocalServer) => Promise<T>,
): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), 'bundle-server-'))
  chmodSync(work, 0o755)
  try {
    if (isRecording) mkdirSync(join(folder, contents.debian), { recursive: true })
    // Its path may contain what nginx takes for more than a path, such as blanks.
    const link = join(work, 'bundle')
    symlinkSync(folder, link)
    const server = await startNginx(work, (isRecording ? recording : offline)(link))
    try {
      return await use(server)
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
