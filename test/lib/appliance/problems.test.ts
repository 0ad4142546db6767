import { expect, it } from 'vitest'
import { ContextError } from '../../../lib/appliance/problems.ts'

const threads = { variable: 'ONEAPP_COPILOT_THREADS', got: '"all"', takes: 'a whole number' }
const rest = `The running service keeps its last good configuration. Fix these in the
VM's context (Sunstone: the VM's Conf tab):
`

it('prints a problem, each part on lines of its own', () => {
  const error = new ContextError([threads])
  expect(error.problems).toEqual([threads])
  expect(error.message).toBe(`1 problem in the context.
${rest}
  ONEAPP_COPILOT_THREADS
    got "all"
    takes a whole number
`)
})

it('prints several, and wraps what is long', () => {
  const long = { ...threads, takes: `${'word '.repeat(16)}end` }
  expect(new ContextError([threads, long]).message).toBe(`2 problems in the context.
${rest}
  ONEAPP_COPILOT_THREADS
    got "all"
    takes a whole number

  ONEAPP_COPILOT_THREADS
    got "all"
    takes ${'word '.repeat(13).trimEnd()}
    ${'word '.repeat(3)}end
`)
})
