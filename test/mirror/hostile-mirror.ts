/** A hostile mirror on the loopback address: each path misbehaves in a different way. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** The expected file, the one that the mirror tries to plant instead, and another server that it may point to. */
export type Bait = {
  file: Buffer
  /** Has the length of `file`. */
  evil: Buffer
  /** Another server on this machine, `http://host:port`. */
  other: string
}

type Misbehaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  times: number,
) => void | Promise<void>

const firstOf = ({ headers }: IncomingMessage) => Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)

/** A well-behaved response that honours ranges. */
function serve(request: IncomingMessage, response: ServerResponse, bytes: Buffer, headers = {}) {
  const from = firstOf(request)
  const range = from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}
  response.writeHead(from > 0 ? 206 : 200, { 'content-length': bytes.length - from, ...range, ...headers })
  response.end(bytes.subarray(from))
}

const metalink = (name: string, url: string, size: number) => `<?xml version="1.0" encoding="UTF-8"?>
<metalink xmlns="urn:ietf:params:xml:ns:metalink">
  <file name="${name}"><size>${size}</size><url>${url}</url></file>
</metalink>
`
const torrent = (url: string, size: number) =>
  `d8:announce${url.length}:${url}4:infod6:lengthi${size}e4:name4:evil12:piece lengthi16384e6:pieces20:${'x'.repeat(20)}ee`

const redirect =
  (to: string, body = ''): Misbehaviour =>
  (_, response) =>
    void response.writeHead(302, { location: to }).end(body)

/** Sends half of the file and disconnects; `then` answers later requests. */
const cutThen =
  (file: Buffer, then: Misbehaviour): Misbehaviour =>
  async (request, response, times) => {
    if (times > 1) return then(request, response, times)
    response.writeHead(200, { 'content-length': file.length, etag: '"one"' })
    response.write(file.subarray(0, file.length / 2))
    await setTimeout(300)
    response.destroy()
  }

async function endless(response: ServerResponse, piece: Buffer, wait: number) {
  while (!response.destroyed) {
    await new Promise(written => response.write(piece, written))
    await setTimeout(wait)
  }
}

const acts = ({ file, evil, other }: Bait, own: string): Record<string, Misbehaviour> => ({
  '/good': (request, response) => serve(request, response, file),
  '/evil': (request, response) => serve(request, response, evil),
  '/metalink': (_, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/metalink4+xml' })
      .end(metalink('a.gguf', `${own}/evil`, evil.length)),
  '/metalink-beside': (_, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/metalink4+xml' })
      .end(metalink('planted.gguf', `${own}/evil`, evil.length)),
  '/x.meta4': (_, response) =>
    void response.writeHead(200).end(metalink('planted.gguf', `${own}/evil`, evil.length)),
  '/metalink-by-redirect': redirect('/x.meta4'),
  '/torrent': (_, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/x-bittorrent' })
      .end(torrent(`${own}/announce`, evil.length)),
  '/link-headers': (request, response) =>
    serve(request, response, evil, {
      link: `<${own}/x.meta4>; rel=describedby; type="application/metalink4+xml", <${own}/evil>; rel=duplicate`,
      digest:
        'SHA-256=MWVkMWQxYTRiMzk5MDQ0MzI3NGU5NDEyZTk5OWY1ZGFmNzgyZTJlODYzYjRjYzFhOTlmNTQwYzI2M2QwM2U2MQ==',
    }),
  '/disposition': (request, response) =>
    serve(request, response, evil, {
      'content-disposition': 'attachment; filename="../../planted"',
      'set-cookie': 'a=b; Path=/',
    }),
  '/to-file': redirect('file:///etc/hostname'),
  '/to-ftp': redirect('ftp://127.0.0.1/x'),
  '/to-data': redirect('data:text/plain,hello'),
  '/to-gopher': redirect('gopher://127.0.0.1:6379/_FLUSHALL'),
  '/to-other-host': redirect(`${other}/private`),
  '/to-credentials': redirect(own.replace('://', '://user:word@')),
  '/to-nothing': (_, response) => void response.writeHead(302).end(),
  '/to-itself': redirect('/to-itself'),
  '/to-newline': redirect('/good%0d%0aX-Evil:%201'),
  '/to-good': redirect('/good', 'a body that is not of the file'),
  '/endless': (_, response) => {
    response.writeHead(200)
    return endless(response, Buffer.alloc(1 << 16, 1), 0)
  },
  '/endless-headers': async (_, response) => {
    const { socket } = response
    socket?.write('HTTP/1.1 200 OK\r\n')
    for (let line = 0; socket !== null && !socket.destroyed && line < 10_000; line += 1)
      await new Promise(written => socket.write(`X-${line}: ${'y'.repeat(1000)}\r\n`, written))
    socket?.destroy()
  },
  '/drip': (_, response) => {
    response.writeHead(200, { 'content-length': file.length })
    return endless(response, Buffer.from('x'), 100)
  },
  '/silent': () => {},
  '/too-long': (_, response) =>
    void response
      .writeHead(200, { 'content-length': file.length + 5 })
      .end(Buffer.concat([file, Buffer.from('extra')])),
  '/too-short': (request, response) => serve(request, response, file.subarray(0, file.length - 5)),
  '/empty': (_, response) => void response.writeHead(200, { 'content-length': 0 }).end(),
  '/no-content': (_, response) => void response.writeHead(204).end(),
  '/page': (_, response) =>
    void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in</h1>'),
  '/gzip': (request, response) => serve(request, response, evil, { 'content-encoding': 'gzip' }),
  '/missing': (_, response) => void response.writeHead(404).end('not here'),
  '/forbidden': (_, response) =>
    void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
  '/broken': (_, response) => void response.writeHead(500).end('x'.repeat(5000)),
  '/overloaded-once': (request, response, times) =>
    times === 1 ? void response.writeHead(503).end('wait') : serve(request, response, file),
  '/words': (_, response) => {
    response.socket?.end('HTTP/1.1 404 \u001b[2J\u001b]0;owned\u0007gone\r\ncontent-length: 0\r\n\r\n')
  },
  '/not-http': (_, response) => void response.socket?.end('220 mail.example.com ESMTP\r\n'),
  '/cut': cutThen(file, (request, response) => serve(request, response, file)),
  '/cut-behind-redirect': redirect('/cut-behind'),
  '/cut-behind': cutThen(file, (request, response) => serve(request, response, file)),
  '/changed': cutThen(file, (request, response, times) =>
    serve(request, response, times === 2 ? evil : file, { etag: '"two"' }),
  ),
  '/no-ranges': cutThen(
    file,
    (_, response) => void response.writeHead(200, { 'content-length': file.length }).end(file),
  ),
  '/wrong-range': cutThen(file, (request, response) => {
    if (firstOf(request) === 0) return serve(request, response, file)
    const range = `bytes 7-${file.length - 1}/${file.length}`
    response.writeHead(206, { 'content-range': range, 'content-length': file.length - 7 })
    response.end(file.subarray(7))
  }),
  '/unsatisfiable': cutThen(file, (request, response) =>
    firstOf(request) > 0
      ? void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end('no such range')
      : serve(request, response, file),
  ),
  '/redirect-when-resumed': cutThen(file, redirect('/good', 'x'.repeat(999))),
  '/file-when-resumed': cutThen(file, redirect('file:///etc/hostname', 'x'.repeat(999))),
  '/error-when-resumed': cutThen(file, (request, response, times) =>
    times === 2 ? void response.writeHead(500).end('x'.repeat(5000)) : serve(request, response, file),
  ),
  '/endless-when-resumed': cutThen(file, (request, response) => {
    const from = firstOf(request)
    response.writeHead(206, { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` })
    return endless(response, Buffer.alloc(1 << 16, 1), 0)
  }),
})

export type HostileMirror = { url: string; asked: { path: string; from: number }[]; close(): Promise<void> }

export async function startHostileMirror(bait: Bait): Promise<HostileMirror> {
  const asked: HostileMirror['asked'] = []
  let own: Record<string, Misbehaviour> = {}
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    // A HEAD request is answered like the GET after it, and is not recorded.
    const times = asked.filter(other => other.path === path).length + 1
    if (request.method !== 'HEAD') asked.push({ path, from: firstOf(request) })
    const act = own[path] ?? ((_, answer) => void answer.writeHead(404).end())
    void act(request, response, times)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  own = acts(bait, url)
  return {
    url,
    asked,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
