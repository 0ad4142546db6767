/** `slm-copilot doctor`: checks the VM and the appliance, and says how to fix what is wrong. Changes nothing. */
import { type Finding, problem, skipped } from '../../lib/appliance/diagnosis/finding.ts'
import { findingText } from '../../lib/render/text/doctor.ts'
import type { Host } from '../../lib/system/host.ts'
import type { DoctorCheck } from './doctor/check.ts'
import { loadCheck, machineChecks } from './doctor/machine.ts'
import { networkChecks } from './doctor/network.ts'
import { serviceChecks } from './doctor/services.ts'

/** Hands over the text of each check as soon as it has been made. Returns whether no check found a problem. */
export async function doctor(host: Host, onText: (text: string) => void): Promise<boolean> {
  const checks = [...machineChecks, ...networkChecks, ...serviceChecks, loadCheck(host.facts())]
  const findings: Finding[] = []
  const causes: Causes = new Map()
  for (const check of checks) {
    const finding = await findingOf(check, host, causes)
    findings.push(finding)
    onText(findingText(check, finding))
  }
  const count = (state: Finding['state']) => findings.filter(finding => finding.state === state).length
  const totals = [
    plural(findings.length, 'check'),
    plural(count('problem'), 'problem'),
    plural(count('warning'), 'warning'),
  ]
  onText(`\n${totals.join(', ')}.\n`)
  return count('problem') === 0
}

const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Error → the check that met it first. */
type Causes = Map<string, string>

/**
 * A check that throws has found a problem, too: what it reads is missing or damaged. Others that need the same are
 * skipped.
 */
async function findingOf({ name, run }: DoctorCheck, host: Host, causes: Causes): Promise<Finding> {
  try {
    return await run(host)
  } catch (error) {
    const { message } = error as Error
    const first = causes.get(message)
    if (first !== undefined) return skipped(`cannot be checked, for the same reason as ${first}`)
    causes.set(message, name)
    return problem(message)
  }
}
