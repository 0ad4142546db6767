/** `npm audit` as a check: known vulnerabilities in package-lock.json fail it; a registry without an answer does not. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

const severities = ['critical', 'high', 'moderate', 'low', 'info'] as const

/** Severities that fail the check. */
const failing: readonly string[] = ['critical', 'high']

type Severity = (typeof severities)[number]
type AuditReport = {
  message?: string
  error?: { summary?: string }
  metadata?: { vulnerabilities: Partial<Record<Severity, number>> }
  vulnerabilities?: Record<string, { name: string; severity: Severity; range: string }>
}

export type AuditVerdict = { passes: boolean; text: string }

/** What `npm audit --json` printed, judged. */
export function verdictOn(output: string): AuditVerdict {
  const report = parsed(output)
  const counts = report?.metadata?.vulnerabilities
  if (counts === undefined) {
    const answer = report?.message ?? report?.error?.summary ?? (output.trim() || 'nothing')
    return {
      passes: true,
      text: `npm audit failed, so vulnerabilities are unknown. Run it again once the registry can be reached. npm said: ${answer}`,
    }
  }
  const found = severities.filter(severity => (counts[severity] ?? 0) > 0)
  if (found.length === 0) return { passes: true, text: 'npm audit: no known vulnerabilities.' }
  const passes = !found.some(severity => failing.includes(severity))
  const summary = found.map(severity => `${counts[severity]} ${severity}`).join(', ')
  const packages = Object.values(report?.vulnerabilities ?? {}).map(
    ({ name, severity, range }) => `  ${severity}: ${name} ${range}\n`,
  )
  const advice = passes
    ? 'These do not fail the check.'
    : 'Fix: npm audit fix, or another version of the package that needs it.'
  return { passes, text: `npm audit: ${summary}.\n${packages.join('')}${advice}` }
}

function parsed(output: string): AuditReport | undefined {
  try {
    return JSON.parse(output) as AuditReport
  } catch {
    return undefined
  }
}

/** One attempt, and no long wait: without the internet the check goes on. */
const command = ['audit', '--json', '--fetch-retries=0', '--fetch-timeout=30000']

if (import.meta.main) {
  const cwd = resolve(import.meta.dirname, '..', '..')
  const { stdout, error } = spawnSync('npm', command, { cwd, encoding: 'utf8', timeout: 120_000 })
  const { passes, text } = verdictOn(stdout || (error?.message ?? ''))
  console.log(text)
  process.exitCode = passes ? 0 : 1
}
