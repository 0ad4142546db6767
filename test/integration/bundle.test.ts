/** A bundle's server with a real nginx: what it records from an archive it serves when the archive is gone. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { onThisMachine, withServer } from '../../packer/build/bundle/server.ts'
import { startNginx } from '../../packer/build/local-nginx.ts'

const work = mkdtempSync(join(tmpdir(), 'bundle-server-test-'))
afterAll(() => rmSync(work, { recursive: true }))

/** The body, or the status if that is not 200. */
const fetched = (proxy: string, url: string, ...headers: string[]): string => {
  const options = [
    '--silent',
    '--write-out',
    '\n%{http_code}',
    ...headers.flatMap(header => ['--header', header]),
  ]
  const lines = execFileSync('curl', [...options, '--proxy', proxy, url], { encoding: 'utf8' }).split('\n')
  return lines.at(-1) === '200' ? lines.slice(0, -1).join('\n') : (lines.at(-1) ?? '')
}

it('serves the recorded files, and no others, once the archive is gone', async () => {
  const [archive, bundle] = [join(work, 'archive'), join(work, 'a "bundle"; $host')]
  const pool = join(archive, 'files', 'debian', 'pool')
  mkdirSync(pool, { recursive: true })
  mkdirSync(join(bundle, 'files'), { recursive: true })
  // As apt writes it in a URL: %2b for a plus sign.
  const names = {
    'nginx_1.26.3-3%2bdeb13u1_amd64.deb': 'nginx_1.26.3-3+deb13u1_amd64.deb',
    InRelease: 'InRelease',
  }
  for (const name of [...Object.values(names), 'unasked'])
    writeFileSync(join(pool, name), `content of ${name}`)
  writeFileSync(join(bundle, 'files', 'a.gguf'), 'weights')

  const upstream = await startNginx(archive, `    root ${archive}/files;`)
  const at = (name: string) => `${onThisMachine(upstream)}/debian/pool/${name}`
  await withServer(bundle, true, async server => {
    const proxy = onThisMachine(server)
    // A client that has an older copy: the bundle still gets the whole file.
    const conditions = [`If-Modified-Since: ${new Date().toUTCString()}`, 'Range: bytes=5-']
    for (const name of Object.keys(names)) fetched(proxy, at(name), ...conditions)
    expect(fetched(proxy, at('absent'))).toBe('404')
  })
  await upstream.stop()

  await withServer(bundle, false, async server => {
    const proxy = onThisMachine(server)
    for (const [asked, name] of Object.entries(names))
      expect(fetched(proxy, at(asked))).toBe(`content of ${name}`)
    for (const name of ['absent', 'unasked']) expect(fetched(proxy, at(name))).toBe('404')
    expect(await (await fetch(`${proxy}/files/a.gguf`)).text()).toBe('weights')
    expect((await fetch(`${proxy}/SHA256SUMS`)).status).toBe(404)
  })
})
