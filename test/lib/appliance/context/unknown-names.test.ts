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

it.each([
  'ONEAPP_COPILOT_SOMETHING_ELSE',
  '_ONE_APPS_SLM-COPILOT.SOMETHING_ELSE',
  'SLM_COPILOT_SOMETHING_ELSE',
])('tells of %s, which is like none', name => {
  expect(notesOf(name)).toEqual([
    `${name} is not a variable of this appliance, and is ignored. See: slm-copilot help.`,
  ])
})

it('takes up to four letters for a slip, and no more', () => {
  expect(notesOf('ONEAPP_COPILOT_PASSW1234')).toEqual([expect.stringContaining('Did you mean')])
  expect(notesOf('ONEAPP_COPILOT_PASS12345')).toEqual([expect.stringContaining('slm-copilot help')])
})

it('tells in the order of names, and of none that is no name', () => {
  const long = `ONEAPP_COPILOT_${'X'.repeat(49)}`
  const told = notesOf(long, `${long}X`, 'ONEAPP_COPILOT_B', 'ONEAPP_COPILOT_A', 'ONEAPP_COPILOT_ A')
  expect(told.map(note => note.split(' ')[0])).toEqual(['ONEAPP_COPILOT_A', 'ONEAPP_COPILOT_B', long])
})

it('is silent on known names, on others, and on what is set empty', () => {
  expect(notesOf(...variableNames, 'PATH', 'ONEAPP_VROUTER_ETH0', 'SSH_PUBLIC_KEY', 'PASSWORD')).toEqual([])
  expect(unknownNameNotes({ ONEAPP_COPILOT_PASSWROD: '' }, variableNames)).toEqual([])
})

it('never tells a value', () => {
  expect(JSON.stringify(notesOf('ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_X'))).not.toContain('CANARY')
})
