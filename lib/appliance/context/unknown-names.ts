/** Notes on unknown variables that seem to be meant for the appliance. */

import { editDistance } from './spelling.ts'

/** The most letters that may differ from the suggested name. */
const furthest = 4

/** The nearest known name, if it is near enough. */
function nearest(name: string, known: readonly string[]) {
  const inCapitals = name.toUpperCase()
  const withPrefix = inCapitals.replace(/^.*COPILOT[_.-]*/, 'ONEAPP_COPILOT_')
  const [best] = known
    .map(each => ({
      name: each,
      distance: Math.min(editDistance(inCapitals, each), editDistance(withPrefix, each)),
    }))
    .sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= furthest ? best.name : undefined
}

const isMeantForUs = (name: string) => /^_?(ONE)?_?(APPS?)?[_.-]*(SLM[_.-]*)?COPILOT[_.-]/i.test(name)

/** One note per name, without its value: a misspelt variable may hold a password. */
export function unknownNameNotes(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): string[] {
  return Object.keys(env)
    .filter(name => env[name] && !known.includes(name) && /^[\w.-]{1,64}$/.test(name))
    .map(name => ({ name, near: nearest(name, known) }))
    .filter(({ name, near }) => isMeantForUs(name) || near !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, near }) => {
      const advice = near === undefined ? 'See: slm-copilot help.' : `Did you mean ${near}?`
      return `${name} is not a variable of this appliance, and is ignored. ${advice}`
    })
}
