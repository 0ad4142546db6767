/** A real Prometheus that scrapes a stack, with the counters that the appliance's timer would write. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { units } from '../../../lib/appliance/paths.ts'
import { openHost } from '../../../lib/system/host.ts'
import { http } from '../../../lib/system/http.ts'
import { answering, shell } from '../../../lib/system/shell.ts'
import { writeMetrics } from '../../../lifecycle/write-metrics.ts'
import { freePort } from '../../../packer/build/ports.ts'
import { watch } from '../../../packer/build/watch.ts'
import type { Stack } from './stack.ts'

export type Series = { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }

/** Writes what the timer writes, as if the stack were this machine. Call it repeatedly. */
export function metricsTimer(stack: Stack): () => Promise<void> {
  for (const [path, target] of [
    ['proc', '/proc'],
    ['var/log/nginx', join(stack.root, 'run')],
  ] as const) {
    const link = join(stack.root, path)
    rmSync(link, { recursive: true, force: true })
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link)
  }
  const query = shell(
    answering(command => ({
      exitCode: 0,
      stderr: '',
      stdout: command.includes(units.llama) ? `ActiveState=active\nMainPID=${stack.llamaPid()}\n` : '',
    })),
  )
  const host = { ...openHost({ env: {}, root: stack.root }), query }
  return () => writeMetrics(host)
}

/** Starts Prometheus; it scrapes every second. */
export async function startPrometheus(stack: Stack, key: string) {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-prometheus-'))
  const file = (name: string) => join(folder, name)
  writeFileSync(file('ca.crt'), stack.ca)
  writeFileSync(file('key'), key, { mode: 0o600 })
  writeFileSync(
    file('prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(import.meta.dirname, '../../../packer/monitoring/alerts.yaml')],
      scrape_configs: [
        {
          job_name: 'slm-copilot',
          scheme: 'https',
          scrape_interval: '1s',
          scrape_timeout: '1s',
          authorization: { credentials_file: file('key') },
          tls_config: { ca_file: file('ca.crt') },
          static_configs: [{ targets: [new URL(stack.url).host] }],
        },
      ],
    }),
  )
  const url = `http://127.0.0.1:${await freePort()}`
  const prometheus = watch(
    spawn(
      'prometheus',
      [
        `--config.file=${file('prometheus.yml')}`,
        `--storage.tsdb.path=${file('data')}`,
        `--web.listen-address=${new URL(url).host}`,
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  )
  const get = async <T>(path: string, parameters: Record<string, string> = {}): Promise<T> => {
    const query = new URLSearchParams(parameters).toString()
    const { body } = await http({ url: `${url}/api/v1/${path}?${query}`, timeout: 30 })
    const { status, data, error } = JSON.parse(body)
    if (status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${error}`)
    return data
  }
  await prometheus.until(() =>
    http({ url: `${url}/-/ready`, timeout: 5 }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  )
  return {
    get,
    query: async (expression: string) =>
      (await get<{ result: Series[] }>('query', { query: expression })).result,
    close: async () => {
      await prometheus.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
