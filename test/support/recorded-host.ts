/** A host for tests: files in a temporary folder, recorded commands, and predefined answers and facts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Facts } from '../../lib/system/facts.ts'
import { filesUnder } from '../../lib/system/files.ts'
import type { Host } from '../../lib/system/host.ts'
import { answering, type Output, shell } from '../../lib/system/shell.ts'

export const facts: Facts = {
  hostname: 'copilot',
  addresses: ['192.0.2.7', '2001:db8::7'],
  networks: [
    { device: 'eth0', cidr: '192.0.2.7/24' },
    { device: 'eth0', cidr: '2001:db8::7/64' },
  ],
  hasIpv6: true,
  cpus: 8,
  physicalCores: 4,
  memory: 32 * 2 ** 30,
  cpu: { model: 'AMD EPYC 9354 32-Core Processor', features: ['avx', 'avx2', 'fma'] },
  cpuTime: { total: 1000, stolen: 0 },
  swap: { size: 0, used: 0 },
  hugePages: 'always',
  numaNodes: 1,
}

type Answers = (commandLine: string) => Partial<Output> | undefined

export type RecordedHost = Host & { commands: string[]; lines: string[]; root: string }

/** Claims to be a live host. `answers` returns the outcome of commands, by default no output and exit code 0. */
export function recordedHost(
  overrides: Partial<Host> = {},
  answers: Answers = () => undefined,
): RecordedHost {
  const root = mkdtempSync(join(tmpdir(), 'slm-copilot-test-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const commands: string[] = []
  const lines: string[] = []
  const say = (message: string) => void lines.push(message)
  const $ = shell(
    answering(commandLine => {
      commands.push(commandLine)
      // The clock is synchronised unless a test says otherwise.
      const stdout = commandLine.startsWith('chronyc ') ? 'Leap status     : Normal\n' : ''
      return { exitCode: 0, stdout, stderr: '', ...answers(commandLine) }
    }),
  )
  return {
    root,
    commands,
    lines,
    env: {},
    files: filesUnder(root),
    log: { info: say, warn: say, error: say },
    now: () => new Date('2026-02-14T10:00:00Z'),
    random: bytes => Buffer.alloc(bytes, 7),
    facts: () => facts,
    $,
    query: $,
    perform: (_what, act) => act(),
    withLock: (_path, _onWait, act) => act(),
    http: async () => ({ status: 200, headers: {}, body: '', arrivals: [] }),
    ...overrides,
  }
}
