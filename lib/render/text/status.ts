/** The output of `slm-copilot status`, in 80 columns. */
import { endpointUrl } from '../../appliance/names.ts'
import { paths, units } from '../../appliance/paths.ts'
import { wrapped } from '../../appliance/text.ts'

export type Status = {
  /** Why nothing can be generated, as a sentence; undefined if the appliance serves. */
  problem: string | undefined
  /** Names and addresses, the preferred one first. */
  endpoints: string[]
  services: { unit: string; state: string }[]
  /** The model that the plan serves; undefined if there is none. */
  model: string | undefined
  /** The pending model, and the progress of its download or verification while that runs. */
  pending: string | undefined
  progress: string | undefined
  notes: string[]
}

/** Width of the name column: the longest unit name and a gap. */
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
