/** The context variables as OpenNebula's user inputs: `O|TYPE|HELP|OPTIONS|DEFAULT`. All are optional. */
import type { Variable } from '../../appliance/context/variables.ts'

/** A default as it is typed into the wizard; empty if the appliance decides. */
function typed(fallback: unknown): string {
  if (typeof fallback === 'boolean') return fallback ? 'YES' : 'NO'
  return typeof fallback === 'number' || typeof fallback === 'string' ? String(fallback) : ''
}

/**
 * A variable as a user input. All five fields are written, because Sunstone before 7.0 fails without the fourth.
 * `preset`: the default, if it is known only here. Throws if a text contains what ends a field, a list option (a comma)
 * or the template's string (a double quote, which OpenNebula does not escape).
 */
export function userInput(variable: Variable, preset: string = typed(variable.fallback)): string {
  const { input, help, options = [] } = variable
  const fields = ['O', input, help, options.join(',') || ' ', preset]
  const bad = [
    ...fields.filter(field => /[|"\p{Cc}]/u.test(field)),
    ...options.filter(option => option.includes(',')),
  ]
  if (bad.length > 0)
    throw new Error(
      `${variable.name}: a user input cannot contain |, double quotes or line breaks, nor a list option a comma: ${bad.join('; ')}`,
    )
  if (input === 'list' && preset !== '' && !options.includes(preset))
    throw new Error(`${variable.name}: the default ${preset} is not one of the options`)
  return fields.join('|')
}
