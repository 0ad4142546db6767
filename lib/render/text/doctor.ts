/** The output of `slm-copilot doctor`, in 80 columns. */
import type { Finding } from '../../appliance/diagnosis/finding.ts'
import { wrapped } from '../../appliance/text.ts'

/** Width of the column for the state. */
const width = 9

const row = (state: string, text: string, indent = 0) =>
  wrapped(text, 79 - width - indent)
    .map((line, index) => `${(index === 0 ? state : '').padEnd(width + indent)}${line}\n`)
    .join('')

/** A line or more for a check; what was expected, and what to do, only if something is wrong. */
export function findingText(check: { name: string; expected: string }, finding: Finding): string {
  const { state, seen, fix } = finding
  const isWrong = state === 'problem' || state === 'warning'
  return [
    row(state, `${check.name}: ${seen}`),
    ...(isWrong ? [row('', `should be: ${check.expected}`, 2)] : []),
    ...(isWrong && fix !== undefined ? [row('', `fix: ${fix}`, 2)] : []),
  ].join('')
}
