import { expect, it } from 'vitest'
import { unknownNameNotes } from '../../../../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../../../../lib/appliance/context/variables.ts'

const notesOf = (...names: string[]) =>
  unknownNameNotes(Object.fromEntries(names.map(name => [name, 'CANARY'])), variableNames)

it.each([
  ['ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPILOT_PASWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['oneapp_copilot_password', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPLOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONE_APP_COPILOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['COPILOT_PASSWORD', 'ONEAPP_COPILOT_PASSWORD'],
  ['ONEAPP_COPILOT_KEY', 'ONEAPP_COPILOT_KEYS'],
  ['ONEAPP_COPILOT_CONTEXTSIZE', 'ONEAPP_COPILOT_CONTEXT_SIZE'],
  ['ONEAPP-COPILOT-DOMAIN', 'ONEAPP_COPILOT_DOMAIN'],
])('suggests for %s the nearest name', (name, near) => {
  expect(notesOf(name)).toEqual([expect.stringMatching(new RegExp(`^${name} .* Did you mean ${near}\\?$`))])
})

it('tells of a name that is like none', () => {
  expect(notesOf('ONEAPP_COPILOT_SOMETHING_ELSE')).toEqual([expect.stringContaining('slm-copilot help')])
})

it('is silent on known names, on others, and on what is set empty', () => {
  expect(notesOf(...variableNames, 'PATH', 'ONEAPP_VROUTER_ETH0', 'SSH_PUBLIC_KEY', 'PASSWORD')).toEqual([])
  expect(unknownNameNotes({ ONEAPP_COPILOT_PASSWROD: '' }, variableNames)).toEqual([])
})

it('never tells a value', () => {
  expect(JSON.stringify(notesOf('ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_X'))).not.toContain('CANARY')
})
