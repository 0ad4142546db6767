/** Notes on unknown variables that seem to be meant for the appliance. */

import { editDistance } from './spelling.ts'

/** How many letters may differ from the suggested name: four, and at most half of those that tell it from others. */
const furthest = (name: string) => Math.min(4, Math.floor(name.replace(/^ONEAPP_COPILOT_/, '').length / 2))

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
  return best !== undefined && best.distance <= furthest(best.name) ? best.name : undefined
}

const isMeantForUs = (name: string) => /^_?(ONE)?_?(APPS?)?[_.-]*(SLM[_.-]*)?COPILOT[_.-]/i.test(name)

/** Names that variables had in earlier versions, and those that they have now. None has been renamed since 0.1.0. */
export const retiredNames: ReadonlyMap<string, string> = new Map()

/** What became of the name, and what to do. */
function verdictOn(near: string | undefined, now: string | undefined): string {
  if (now !== undefined)
    return `is no longer a variable of this appliance, and is ignored. It is now called ${now}.`
  const advice = near === undefined ? 'See: slm-copilot help.' : `Did you mean ${near}?`
  return `is not a variable of this appliance, and is ignored. ${advice}`
}

/** One note per name, without its value: a misspelt variable may hold a password. */
export function unknownNameNotes(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
  retired = retiredNames,
): string[] {
  return Object.keys(env)
    .filter(name => env[name] && !known.includes(name) && /^[\w.-]{1,64}$/.test(name))
    .map(name => ({ name, near: nearest(name, known), now: retired.get(name) }))
    .filter(({ name, near, now }) => isMeantForUs(name) || near !== undefined || now !== undefined)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, near, now }) => `${name} ${verdictOn(near, now)}`)
}
