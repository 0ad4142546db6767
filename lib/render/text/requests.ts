/** The README's table of request fields, from the filter's own rules. */
import { routes } from '../../appliance/requests/api.ts'
import { type Fields, type Rule, unbounded } from '../../appliance/requests/rules.ts'
import { largest } from '../../appliance/requests/sampling.ts'

/** A value's range in a few characters; nothing where its name says it all. */
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

/** Path by path; those that only count or render a prompt take of the same what the prompt depends on. */
export const requestTable = (): string =>
  [
    '| path | fields (* = required) |',
    '|---|---|',
    ...routes
      .filter(route => route.fields !== undefined)
      .map(({ path, fields = {} }) => `| \`${path}\` | ${described(fields)} |`),
  ].join('\n')
