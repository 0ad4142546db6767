/** HAProxy's program: what its configuration and the appliance's commands rely on. */
import { expect, it } from 'vitest'
import { routerConfiguration, routerProgram } from '../../../../lib/render/fleet/haproxy.ts'

it('counts the requests that generate', () => {
  const [, paths = ''] = /^generations = \{ (.*) \}$/m.exec(routerProgram().text) ?? []
  expect(paths.split(', ')).toEqual([
    '["/v1/chat/completions"] = true',
    '["/v1/completions"] = true',
    '["/v1/responses"] = true',
    '["/v1/messages"] = true',
    '["/infill"] = true',
  ])
})

it('has each action and fetch that the configuration uses', () => {
  const used = [...routerConfiguration(3600).text.matchAll(/\blua\.(\w+)(?=[\s}])/g)].map(([, name]) => name)
  expect(used).toEqual(['fleet_is_up', 'choose', 'refused'])
  for (const name of used)
    expect(routerProgram().text).toMatch(new RegExp(`core\\.register_\\w+\\("${name}"`))
})
