/** The table of request fields in lib/REQUESTS.md, generated from the filter's rules. */
import { routes } from '../../appliance/requests/api.ts'
import { type Fields, type Rule, unbounded } from '../../appliance/requests/rules.ts'
import { largest } from '../../appliance/requests/sampling.ts'

/** A short description of the allowed values; empty if the name says enough. */
function range(rule: Rule): string {
  switch (rule.is) {
    case 'integer':
    case 'number':
      if (rule.min < -1e9) return 'a whole number'
      return rule.max < largest ? `${rule.min} … ${rule.max}` : `from ${rule.min}`
    case 'only':
      return `only ${rule.value}`
    case 'text':
      if (rule.oneOf !== undefined) return rule.oneOf.join(', ')
      return rule.max < unbounded ? `≤ ${rule.max} characters` : ''
    case 'list':
      return `≤ ${rule.max}`
    case 'map':
      return `≤ ${rule.max} keys`
    case 'object':
      return Object.keys(rule.fields).join(', ')
    case 'variant':
      return Object.keys(rule.variants)
        .filter(name => 'fields' in (rule.variants[name] ?? {}))
        .join(', ')
    case 'either':
      return rule.of.map(range).find(found => found !== '') ?? ''
    case 'prompt':
      return 'one'
    case 'schema':
      return 'JSON Schema'
    default:
      return ''
  }
}

const described = (fields: Fields): string =>
  Object.entries(fields)
    .filter(([, rule]) => rule.is !== 'refused')
    .map(([name, rule]) => {
      const found = range(rule)
      return `\`${name}\`${rule.isRequired ? '*' : ''}${found === '' ? '' : ` (${found})`}`
    })
    .join(', ')

/** One row per path with a body. */
export const requestTable = (): string =>
  [
    '| path | fields (* = required) |',
    '|---|---|',
    ...routes
      .filter(route => route.fields !== undefined)
      .map(({ path, fields }) => `| \`${path}\` | ${described(fields?.() ?? {})} |`),
  ].join('\n')
