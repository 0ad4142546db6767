/** Variables that seem to be meant for the appliance, but are unknown to it. */

import { editDistance } from './spelling.ts'

/** Letters that may differ in a name that is taken for a known one. */
const furthest = 4

/** The known name that is nearest, if one is near. */
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

/** The value is never told: a misspelt name's may be a password. */
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
