import { expect, it } from 'vitest'
import { type Variable, variableList, variables } from '../../../../lib/appliance/context/variables.ts'
import { groupOf, wizardGroups, wizardName, wizardTab } from '../../../../lib/appliance/context/wizard.ts'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { userInput } from '../../../../lib/render/text/user-inputs.ts'

it.each([
  ['a password', variables.password, /^O\|password\|The API key .*\| \|$/],
  ['a text', variables.domain, /^O\|text\|.*\| \|$/],
  ['a text in Base64', variables.tlsCertificate, /^O\|text64\|.*\| \|$/],
  ['a number', variables.threads, /^O\|number\|.*\| \|0$/],
  ['a text with a default', variables.contextSize, /^O\|text\|.*\| \|32768$/],
  ['yes or no', variables.sharedCache, /^O\|boolean\|.*\| \|NO$/],
  ['a range beside a word', variables.parallel, /^O\|list\|.*\|auto,1,2,.*,63,64\|auto$/],
  ['the catalogue', variables.model, new RegExp(`\\|${Object.keys(catalogue).join(',')}\\|$`)],
])('%s', (_, variable, text) => {
  expect(userInput(variable as Variable)).toMatch(text)
})

it('takes a default that is known only where it is written', () => {
  expect(userInput(variables.model as Variable, 'gpt-oss-20b')).toMatch(/\|gpt-oss-20b$/)
  expect(() => userInput(variables.model as Variable, 'zork')).toThrow(/zork is not one of the options/)
})

it.each([
  ['a vertical bar in the help', { help: 'YES|NO' }],
  ['a line break', { help: 'one\ntwo' }],
  ['a double quote', { help: 'the "key"' }],
  ['a comma in a list option', { input: 'list', options: ['a,b', 'c'] }],
  ['a vertical bar in a list option', { input: 'list', options: ['a|b'] }],
] as const)('refuses %s', (_, change) => {
  expect(() => userInput({ ...variables.domain, ...change } as Variable)).toThrow(
    /^ONEAPP_COPILOT_DOMAIN: a user input cannot/,
  )
})

it.each(variableList.map(variable => [wizardName(variable), variable] as const))(
  '%s: five fields, and the appliance accepts the default and each option',
  (_, variable) => {
    const fields = userInput(variable).split('|')
    expect(fields).toHaveLength(5)
    const [, input, , options = '', preset = ''] = fields
    expect(variable.input === 'list').toBe(variable.options !== undefined)
    const offered = [...(input === 'list' ? options.split(',') : []), ...(input === 'boolean' ? ['YES'] : [])]
    for (const text of [...offered, preset].filter(Boolean))
      expect(variable.value.safeParse(text)).toMatchObject({ success: true })
    if (preset !== '') expect(variable.value.parse(preset)).toEqual(variable.fallback)
  },
)

it('every input is in a group with a title, and every group has inputs', () => {
  const names = variableList.map(wizardName)
  expect(names.filter(name => !name.startsWith(`ONEAPP_${wizardTab.name}_`))).toEqual([])
  expect([...new Set(names.map(groupOf))].sort()).toEqual(Object.keys(wizardGroups).sort())
  expect(new Set(names).size).toBe(names.length)
})

it('no group has an input called ENABLED, which would hide the others', () => {
  expect(variableList.map(wizardName).filter(name => name.endsWith('_ENABLED'))).toEqual([])
})
