/** The output of `slm-copilot status`, in 80 columns. */
import { endpointUrl } from '../../appliance/names.ts'
import { paths, units } from '../../appliance/paths.ts'
import { wrapped } from '../../appliance/text.ts'

export type Status = {
  /** Why nothing can be generated, a sentence; undefined where the appliance serves. */
  problem: string | undefined
  /** Names and addresses, the one to show first. */
  endpoints: string[]
  services: { unit: string; state: string }[]
  /** The model that the plan has served; undefined where none is. */
  model: string | undefined
  /** The model that is pending, and the progress of its download or verification while that runs. */
  pending: string | undefined
  progress: string | undefined
  notes: string[]
}

/** Of the column of names: as long as the longest unit, with a gap. */
const width = 33

const row = (name: string, text: string) =>
  wrapped(text, 78 - width)
    .map((line, index) => `  ${(index === 0 ? name : '').padEnd(width - 2)}${line}\n`)
    .join('')

export function statusText(status: Status): string {
  const { problem, endpoints, services, model, pending, progress, notes } = status
  const url = endpointUrl(endpoints[0] ?? 'localhost')
  return [
    problem === undefined ? `SLM-Copilot is serving ${model}.\n\n` : 'SLM-Copilot is not serving.\n\n',
    ...(problem === undefined ? [] : [row('reason', problem)]),
    row('endpoint', url),
    ...services.map(({ unit, state }) => row(unit, state)),
    row('model', model ?? 'none'),
    ...(pending === undefined
      ? []
      : [row('pending model', progress ?? `${pending}: ${units.model} is not running`)]),
    ...notes.map(note => row('note', note)),
    row('report', paths.report),
    row('log', paths.log),
  ].join('')
}
