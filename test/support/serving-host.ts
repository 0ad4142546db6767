/** A recorded host on which every unit is running, and the smoke test passes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Model } from '../../lib/appliance/models/catalogue.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import type { Host } from '../../lib/system/host.ts'
import type { HttpRequest } from '../../lib/system/http.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { type RecordedHost, recordedHost } from './recorded-host.ts'

const pid = 42
const running = `ActiveState=active\nUnitFileState=enabled\nInvocationID=first\nMainPID=${pid}\n`
const completion = '{"usage":{"completion_tokens":3}}'

async function answer({ url, headers, json }: HttpRequest) {
  const answered = (status: number, body: string) => ({ status, headers: {}, body, arrivals: ['', '', ''] })
  if (url.endsWith('/v1/models'))
    return headers?.authorization ? answered(200, '{"data":[{"id":"x"}]}') : answered(401, '')
  const isStreaming = (json as { stream?: boolean } | undefined)?.stream === true
  return answered(200, isStreaming ? 'data: [DONE]\n' : completion)
}

/** Has the production release with this model baked in, and a llama-server with this anonymous memory, in bytes. */
export async function servingHost(
  overrides: Partial<Host>,
  model: Model,
  anonymous = 2 ** 20,
): Promise<RecordedHost> {
  const host = recordedHost({ http: answer, ...overrides }, command =>
    command.includes(' show ') ? { stdout: running } : undefined,
  )
  mkdirSync(join(host.root, `proc/${pid}`), { recursive: true })
  const status = `RssAnon:\t${anonymous / 1024} kB\nRssFile:\t20480 kB\n`
  writeFileSync(join(host.root, `proc/${pid}/status`), status)
  await applyFiles(host, [
    releaseFile({ ...productionRelease, model }),
    { path: paths.llamaCurrent, link: `${paths.llamaCurrent}-release` },
  ])
  host.files.makeFolder('/run')
  return host
}
