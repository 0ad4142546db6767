/** A malicious mirror: whatever it does, the result is the right file or none, and nothing else is written. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { download } from '../../lib/system/download.ts'
import { $ } from '../../lib/system/shell.ts'
import { type HostileMirror, startHostileMirror } from '../mirror/hostile-mirror.ts'
import { recordedHost } from '../support/recorded-host.ts'

const file = randomBytes(3_000_000)
const evil = randomBytes(file.length)
const sha256 = createHash('sha256').update(file).digest('hex')
const folder = '/models'
const name = 'a.gguf'

let mirror: HostileMirror
let other: Server
let othersAsked = 0

beforeAll(async () => {
  other = createServer((_, response) => {
    othersAsked += 1
    response.end('not for the network')
  }).listen(0, '127.0.0.2')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  mirror = await startHostileMirror({ file, evil, other: `http://127.0.0.2:${port}` })
})
afterAll(async () => {
  await mirror.close()
  other.close()
})

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const wrongBytes = new RegExp(`has SHA-256 ${digestOf(evil)}, expected ${sha256}\\. Check the URL`)
const tooFew = /sent \d+ of the file's 3000000 bytes/
const tooMany = /sent more than the file's 3000000 bytes/
const refused = (what: string) => new RegExp(`redirects ${what}.*, which is not allowed\\. Check`)

/** Path → outcome: the file, or an error; the maximum number of requests; bytes kept for the next attempt. */
const behaviours: [string, true | RegExp, { requests?: number; kept?: number }?][] = [
  ['/good', true],
  ['/metalink', tooFew],
  ['/metalink-beside', tooFew],
  ['/x.meta4', tooFew],
  ['/metalink-by-redirect', tooFew, { requests: 2 }],
  ['/torrent', tooFew],
  ['/link-headers', wrongBytes],
  ['/disposition', wrongBytes],
  ['/evil', wrongBytes],
  ['/gzip', wrongBytes],
  ['/to-file', refused('to a URL with the scheme file:')],
  ['/to-ftp', refused('to a URL with the scheme ftp:')],
  ['/to-data', refused('to a URL with the scheme data:')],
  ['/to-gopher', refused('to a URL with the scheme gopher:')],
  ['/to-other-host', refused('to another host over http')],
  ['/to-credentials', refused('with credentials')],
  ['/to-nothing', refused('to an invalid URL')],
  ['/to-itself', refused('more than 5 times'), { requests: 6 }],
  ['/to-newline', /404/, { requests: 2 }],
  ['/to-good', true, { requests: 2 }],
  ['/endless', tooMany],
  ['/endless-headers', /headers/, { requests: 3 }],
  ['/drip', /operation too slow\. Less than 10000 bytes\/sec/, { kept: 100 }],
  ['/silent', /operation too slow/],
  ['/too-long', tooMany],
  ['/too-short', tooFew],
  ['/empty', tooFew],
  ['/no-content', /answered 204 instead of a file/],
  ['/page', tooFew],
  ['/missing', /returned error: 404\. Check the URL/],
  ['/forbidden', /returned error: 401/],
  ['/broken', /returned error: 500/, { requests: 3 }],
  ['/overloaded-once', true, { requests: 2 }],
  ['/words', /returned error: 404/],
  ['/not-http', /HTTP\/0\.9/, { requests: 3 }],
  ['/cut', true, { requests: 2 }],
  ['/changed', true, { requests: 3 }],
  ['/no-ranges', true, { requests: 3 }],
  ['/wrong-range', true, { requests: 3 }],
  ['/unsatisfiable', true, { requests: 3 }],
  ['/redirect-when-resumed', true, { requests: 3 }],
  ['/file-when-resumed', refused('to a URL with the scheme file:'), { requests: 2, kept: file.length / 2 }],
  ['/error-when-resumed', true, { requests: 3 }],
  ['/endless-when-resumed', tooMany, { requests: 2 }],
]

it.each(behaviours)('%s', async (path, outcome, { requests = 1, kept = 0 } = {}) => {
  const host = recordedHost({ $, query: $ })
  mirror.asked.length = 0
  const limits = { slowFor: 3, attempts: 3, pause: 0.1 }
  const wanted = { url: `${mirror.url}${path}`, size: file.length, sha256, path: `${folder}/${name}` }
  const done = download(host, { ...wanted, proofs: stateFiles.fileProofs }, () => {}, limits)
  if (outcome === true) await done
  else await expect(done).rejects.toThrow(outcome)

  const part = host.files.status(`${folder}/${name}.part`)?.size
  const written = readdirSync(host.root, { recursive: true, withFileTypes: true })
    .filter(entry => !entry.isDirectory())
    .map(entry => `${entry.parentPath}/${entry.name}`.slice(host.root.length))
  const isThere = outcome === true
  expect(written.sort()).toEqual([
    ...(isThere ? [`${folder}/${name}`] : []),
    ...(part === undefined ? [] : [`${folder}/${name}.part`]),
    ...(isThere ? [stateFiles.fileProofs.path] : []),
  ])
  if (isThere) expect(readFileSync(host.files.at(wanted.path)).equals(file)).toBe(true)
  expect(part ?? 0).toBeLessThanOrEqual(kept)
  expect(mirror.asked.length).toBeLessThanOrEqual(requests)
  expect(othersAsked).toBe(0)
})

it('resumes behind a redirect', async () => {
  const host = recordedHost({ $, query: $ })
  mirror.asked.length = 0
  const url = `${mirror.url}/cut-behind-redirect`
  const wanted = { url, size: file.length, sha256, path: `${folder}/${name}`, proofs: stateFiles.fileProofs }
  await download(host, wanted, () => {}, { pause: 0.1 })
  expect(mirror.asked.at(-1)).toEqual({ path: '/cut-behind', from: file.length / 2 })
})
