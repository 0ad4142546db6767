/** A host for tests: files in a folder of its own, commands recorded, answers and facts as told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Answer } from '../../lib/system/commands.ts'
import type { Facts } from '../../lib/system/facts.ts'
import { filesUnder } from '../../lib/system/files.ts'
import type { Host } from '../../lib/system/host.ts'

export const facts: Facts = {
  hostname: 'copilot',
  addresses: ['192.0.2.7', '2001:db8::7'],
  hasIpv6: true,
  cpus: 8,
  physicalCores: 4,
  memory: 32 * 2 ** 30,
  architecture: 'x64',
  cpu: { model: 'AMD EPYC 9354 32-Core Processor', features: ['avx', 'avx2', 'fma'] },
  cpuTime: { total: 1000, stolen: 0 },
  swap: { size: 0, used: 0 },
  hugePages: 'always',
  numaNodes: 1,
}

type Answers = (command: string[]) => Partial<Answer> | undefined

export type RecordedHost = Host & { commands: string[]; lines: string[]; root: string }

/** A live host by its own account; `answers` says what commands come back with, by default nothing and 0. */
export function recordedHost(
  overrides: Partial<Host> = {},
  answers: Answers = () => undefined,
): RecordedHost {
  const root = mkdtempSync(join(tmpdir(), 'slm-copilot-test-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const commands: string[] = []
  const lines: string[] = []
  const say = (message: string) => void lines.push(message)
  const answer = async (command: string[]): Promise<Answer> => {
    commands.push(command.join(' '))
    // The clock is right, unless a test says otherwise.
    const stdout = command[0] === 'chronyc' ? 'Leap status     : Normal\n' : ''
    return { code: 0, stdout, stderr: '', ...answers(command) }
  }
  return {
    root,
    commands,
    lines,
    env: {},
    files: filesUnder(root),
    log: { info: say, warn: say, error: say },
    isDryRun: false,
    isLive: true,
    now: () => new Date('2026-02-14T10:00:00Z'),
    random: bytes => Buffer.alloc(bytes, 7),
    facts: () => facts,
    ask: answer,
    run: async command => (await answer(command)).stdout,
    start: () => ({ hasExited: () => false, output: () => '', stop: async () => {} }),
    http: async () => ({ status: 200, headers: {}, body: '', arrivals: [] }),
    ...overrides,
  }
}
