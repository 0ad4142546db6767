/** nginx on the loopback address, for as long as this process needs it. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './ports.ts'
import { watch } from './watch.ts'

export type LocalServer = { port: number; accessLog: string; stop: () => Promise<void> }

/**
 * Starts a server with these directives on 127.0.0.1 at `port`, or at a free one. `folder`: for its configuration, log
 * and temporary files.
 */
export async function startNginx(folder: string, directives: string, port?: number): Promise<LocalServer> {
  // nginx cannot report which port it was given, so a free one is chosen beforehand.
  const at = port ?? (await freePort())
  // Its unique path proves that no other server is listening on this port.
  const ready = `/${randomBytes(16).toString('hex')}.ready`
  const configuration = join(folder, 'nginx.conf')
  writeFileSync(configuration, text(folder, at, ready, directives))

  // -e: for errors before the configuration is read, which would otherwise go to a file under /var/log.
  const command = ['-e', 'stderr', '-p', folder, '-c', configuration]
  const nginx = watch(spawn('nginx', command, { stdio: ['ignore', 'ignore', 'pipe'] }))
  try {
    await nginx.until(() => answers(`http://127.0.0.1:${at}${ready}`))
  } catch (error) {
    await nginx.stop()
    throw error
  }
  return { port: at, accessLog: join(folder, 'access.log'), stop: nginx.stop }
}

const answers = (url: string) =>
  fetch(url).then(
    response => response.ok,
    () => false, // nothing is listening yet
  )

const text = (folder: string, port: number, ready: string, directives: string) => `daemon off;
# The files may lie in folders that only their owner may enter. Not started by root, nginx stays who it is.
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;

events {}

http {
  access_log ${folder}/access.log;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  default_type application/octet-stream;
  sendfile on;

  server {
    listen 127.0.0.1:${port};
    location = ${ready} {
      return 204;
    }
${directives}
  }
}
`
