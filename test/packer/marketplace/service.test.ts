/** The OneFlow service follows from the records, and names nothing that the appliance does not have. */
import { expect, it } from 'vitest'
import { variableNames } from '../../../lib/appliance/context/variables.ts'
import { publishedNames } from '../../../lib/appliance/onegate.ts'
import { appliance, serviceAppliance } from '../../../packer/build/marketplace/records.ts'
import { serviceTemplate } from '../../../packer/build/marketplace/service.ts'
import { facts } from './facts.ts'

const { roles, user_inputs: inputs, networks } = serviceTemplate()
const [router, copilot] = roles
const contents = roles.map(role => role.template_contents)

it('has inputs that are context variables, each once for a role', () => {
  for (const role of roles) {
    const names = [...Object.keys(inputs), ...Object.keys(role.user_inputs)]
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter(name => !variableNames.includes(name))).toEqual([])
  }
})

it('asks only for the key of the fleet: everything else is optional', () => {
  const all = { ...inputs, ...router?.user_inputs, ...copilot?.user_inputs }
  const mandatory = Object.entries(all).filter(([, input]) => !input.startsWith('O|'))
  expect(mandatory).toEqual([['ONEAPP_COPILOT_FLEET_KEY', expect.stringMatching(/^M\|password\|/)]])
})

it('sets what the VM template passes on to the context, on networks that it asks for', () => {
  const { context } = appliance(facts).opennebula_template
  for (const each of contents) {
    const names = Object.keys(each).filter(name => name.startsWith('ONEAPP_'))
    expect(names.map(name => (context as Record<string, string>)[name.toLowerCase()])).toEqual(
      names.map(name => `$${name}`),
    )
    for (const { NETWORK_ID } of each.NIC) expect(Object.keys(networks)).toContain(NETWORK_ID.slice(1))
  }
  expect(contents.map(each => each.ONEAPP_COPILOT_FLEET_ROLE)).toEqual(['router', 'copilot'])
})

it('grows and shrinks by an attribute that copilots publish', () => {
  const policies = copilot?.elasticity_policies ?? []
  expect(
    policies.map(({ adjust, expression, period, period_number: times }) => [
      adjust,
      expression,
      period,
      times,
    ]),
  ).toEqual([
    [1, 'ONEAPP_COPILOT_LOAD > 80', 60, 3],
    [-1, 'ONEAPP_COPILOT_LOAD < 20', 60, 10],
  ])
  for (const { expression } of policies) expect(publishedNames).toContain(expression.split(' ')[0])
})

it('is imported with the appliance, under an identity of its own', () => {
  const { type, roles: apps, opennebula_template: template, images } = serviceAppliance(facts)
  expect([type, images]).toEqual(['SERVICE_TEMPLATE', []])
  expect(apps).toEqual({ router: appliance(facts).name, copilot: appliance(facts).name })
  expect(template.roles.map(({ name }) => name)).toEqual(['router', 'copilot'])
  expect(JSON.stringify(template)).not.toContain('template_id')
})
