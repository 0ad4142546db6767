import { expect, it } from 'vitest'
import {
  type ModelEvent,
  type ModelState,
  outcomeOf,
  storedState,
  transition,
} from '../../../../lib/appliance/models/verification.ts'

const failure = { circumstances: 'these', reason: 'It fell over.' }
const states = {
  'not requested': { state: 'not requested' },
  'pending download': { state: 'pending download' },
  'pending verification': { state: 'pending verification' },
  verified: { state: 'verified' },
  'failed, here': { state: 'failed', isDownloaded: true, ...failure },
  'failed, not here': { state: 'failed', isDownloaded: false, ...failure },
} as const satisfies Record<string, ModelState>
type StateName = keyof typeof states

const events = {
  requested: { type: 'requested', circumstances: 'these' },
  'requested in other circumstances': { type: 'requested', circumstances: 'others' },
  downloaded: { type: 'downloaded' },
  answered: { type: 'answered' },
  failed: { type: 'failed', ...failure },
  retried: { type: 'retried' },
  removed: { type: 'removed' },
} as const satisfies Record<string, ModelEvent>

/** From each state, the state that each event leads to. `=`: the same state. */
const table: Record<StateName, Record<keyof typeof events, StateName | '='>> = {
  'not requested': {
    requested: 'pending download',
    'requested in other circumstances': 'pending download',
    downloaded: 'pending verification',
    answered: '=',
    failed: 'failed, not here',
    retried: '=',
    removed: '=',
  },
  'pending download': {
    requested: '=',
    'requested in other circumstances': '=',
    downloaded: 'pending verification',
    answered: '=',
    failed: 'failed, not here',
    retried: '=',
    removed: 'not requested',
  },
  'pending verification': {
    requested: '=',
    'requested in other circumstances': '=',
    downloaded: '=',
    answered: 'verified',
    failed: 'failed, here',
    retried: '=',
    removed: 'not requested',
  },
  verified: {
    requested: '=',
    'requested in other circumstances': '=',
    downloaded: '=',
    answered: '=',
    failed: '=',
    retried: '=',
    removed: 'not requested',
  },
  'failed, here': {
    requested: '=',
    'requested in other circumstances': 'pending verification',
    downloaded: '=',
    answered: '=',
    failed: '=',
    retried: 'pending verification',
    removed: 'failed, not here',
  },
  'failed, not here': {
    requested: '=',
    'requested in other circumstances': 'pending download',
    downloaded: 'failed, here',
    answered: '=',
    failed: '=',
    retried: 'pending download',
    removed: '=',
  },
}

const cases = (Object.keys(states) as StateName[]).flatMap(from =>
  (Object.keys(events) as (keyof typeof events)[]).map(event => ({ from, event, to: table[from][event] })),
)

it.each(cases)('$from, $event: $to', ({ from, event, to }) => {
  expect(transition(states[from], events[event])).toEqual(states[to === '=' ? from : to])
})

it('remembers the last failure', () => {
  const again = { type: 'failed', circumstances: 'others', reason: 'It fell again.' } as const
  expect(transition(states['failed, here'], again)).toMatchObject({
    reason: 'It fell again.',
    isDownloaded: true,
  })
})

const isDownloaded = (name: StateName) =>
  !['not requested', 'pending download', 'failed, not here'].includes(name)

it.each(Object.keys(states) as StateName[])(
  '%s is restored from what is stored, except for being requested',
  name => {
    const read = storedState(outcomeOf(states[name]), isDownloaded(name))
    expect(read).toEqual(states[name === 'pending download' ? 'not requested' : name])
  },
)

it('stores what was verified as passed', () => {
  expect(outcomeOf(states.verified)).toEqual({ outcome: 'passed' })
})

it('counts a verified model whose file is gone as never downloaded', () => {
  expect(storedState({ outcome: 'passed' }, false)).toEqual(states['not requested'])
})
