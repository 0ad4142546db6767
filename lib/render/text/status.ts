/** The output of `slm-copilot status`, in 80 columns. */
import { paths } from '../../appliance/paths.ts'
import { gibibytes } from '../../appliance/sizing/memory.ts'
import { stageNames } from '../../appliance/stages.ts'
import { type ApplianceStatus, type SectionName, sectionNames } from '../../appliance/status/status.ts'
import { wrapped } from '../../appliance/text.ts'

/** Width of the name column: the longest unit name and a gap. */
const width = 33

const row = (name: string, text: string) =>
  wrapped(text, 78 - width)
    .map((line, index) => `  ${(index === 0 ? name : '').padEnd(width - 2)}${line}\n`)
    .join('')

type Row = [name: string, text: string]
type Rows = { [Name in SectionName]: (section: NonNullable<ApplianceStatus[Name]>) => Row[] }

const short = (time: string) => `${time.slice(0, 19)}Z`
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
const rate = (value: number | null) => (value === null ? '-' : `${Number(value.toPrecision(3))}`)

/** Where the certificate in use comes from. */
const origins = {
  private: "from the VM's own CA",
  supplied: 'supplied in the context',
  acme: 'from an ACME server',
}

const rows: Rows = {
  addresses: addresses => addresses.map((url, index) => [index === 0 ? 'endpoint' : 'also', url]),
  plan: ({ state, model, contextSize, slots, threads, kvType, companions }) => [
    ['model', ['serving', 'routing'].includes(state) ? model : `${model}, not served (${state})`],
    [
      'plan',
      state === 'routing'
        ? `router, ${slots} slots in the fleet, up to ${contextSize} tokens`
        : `${slots} × ${contextSize} tokens, ${threads} threads, KV cache ${kvType}`,
    ],
    ...companions.map(
      (one): Row => [
        one.kind,
        `${one.model}, ${gibibytes(one.memory)}${one.isInstalled ? '' : '; its model is not there yet'}`,
      ],
    ),
  ],
  fleet: copilots =>
    copilots.map(({ name, address, model, slots, busy, state, version, since }) => [
      name,
      `${state.toLowerCase()}, ${busy ?? '-'} of ${slots} slots busy, ${model} at ${address}, since ${short(since)}${version === '' ? '' : `, version ${version}`}`,
    ]),
  floatingAddresses: addresses =>
    addresses.map(({ address, isHere }) => [
      'floating address',
      `${address}, ${isHere ? 'at this router' : 'not at this router'}`,
    ]),
  services: services =>
    services.map(({ unit, isActive, isEnabled, since, problem }) => [
      unit,
      isActive
        ? `active since ${short(since ?? '')}${problem === null ? '' : `, ${problem}`}${isEnabled ? '' : ', not enabled at boot'}`
        : 'not active',
    ]),
  certificate: ({ mode, names, ends, daysLeft }) => [
    [
      'certificate',
      `${origins[mode]}, for ${names.join(', ')}; valid until ${ends.slice(0, 10)}, ${daysLeft} days left`,
    ],
  ],
  stages: ({ framework, ...stages }) => [
    ...stageNames.flatMap((name): Row[] => {
      const stage = stages[name]
      if (stage === null) return []
      const { result, startedAt, endedAt, problem } = stage
      return [[name, `${result}, ${short(endedAt ?? startedAt)}${problem === null ? '' : `: ${problem}`}`]]
    }),
    ['framework', framework ?? 'has run no stage yet'],
  ],
  smokeTest: ({ at, depth, problem }) => [
    ['smoke test', `${problem === null ? 'passed' : `failed: ${problem}`} (${depth}, ${short(at)})`],
  ],
  speed: ({ atStart, sinceStart }) => [
    [
      'speed at start',
      atStart === null
        ? 'not measured'
        : `prompts ${rate(atStart.prompt)}, answers ${rate(atStart.generation)} tokens/s`,
    ],
    ['since then', `prompts ${rate(sinceStart.prompt)}, answers ${rate(sinceStart.generation)} tokens/s`],
  ],
  requests: ({ total, refused }) => {
    const counts = Object.entries(refused).map(([status, count]) => `${count} × ${status}`)
    return [['requests in the last hour', `${total}, refused: ${counts.join(', ') || 'none'}`]]
  },
  memory: ({ used, mapped, plannedAtMost, isWithinPlan }) => [
    [
      'memory of llama-server',
      `${gibibytes(used)} of ${gibibytes(plannedAtMost)} planned, and ${gibibytes(mapped)} mapped${isWithinPlan ? '' : '; that is more than planned'}`,
    ],
  ],
  // Folders on the same disk share a row.
  disks: disks => {
    const free = Map.groupBy(disks, disk => `${gigabytes(disk.free)} of ${gigabytes(disk.size)} free`)
    return [...free].map(([text, folders]) => [
      'disk',
      `${text} in ${folders.map(({ folder }) => folder).join(', ')}`,
    ])
  },
  versions: ({ appliance, llamaCpp, nginx, model }) => [
    [
      'versions',
      `SLM-Copilot ${appliance}, llama.cpp ${llamaCpp}, nginx ${nginx}, model in the image: ${model}`,
    ],
  ],
  pending: pending => pending.map((text): Row => ['pending', text]),
  notes: notes => notes.map((text): Row => ['note', text]),
}

/** What matters first; what could not be read comes last. */
const order: SectionName[] = [
  'addresses',
  'plan',
  'floatingAddresses',
  'fleet',
  'services',
  'certificate',
  'pending',
  'notes',
  'requests',
  'speed',
  'memory',
  'disks',
  'smokeTest',
  'stages',
  'versions',
]

function rowsOf<Name extends SectionName>(status: ApplianceStatus, name: Name): Row[] {
  const section = status[name]
  return section === null ? [] : rows[name](section as NonNullable<ApplianceStatus[Name]>)
}

/** Which sections could not be read, and why: a row for each reason, and one for those that only root may read. */
function unreadRows(unknown: ApplianceStatus['unknown']): Row[] {
  const words = (name: string) => name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
  const unread = sectionNames.flatMap(name =>
    unknown[name] ? [{ name: words(name), reason: unknown[name] }] : [],
  )
  const isClosed = ({ reason }: { reason: string }) => /permission denied/.test(reason)
  const names = (sections: { name: string }[]) => sections.map(({ name }) => name).join(', ')
  const closed = unread.filter(isClosed)
  const others = Map.groupBy(
    unread.filter(section => !isClosed(section)),
    ({ reason }) => reason,
  )
  return [
    ...[...others].map(([reason, sections]): Row => ['unknown', `${names(sections)}: ${reason}`]),
    ...(closed.length === 0 ? [] : [['shown to root only', names(closed)] satisfies Row]),
  ]
}

export function statusText(status: ApplianceStatus): string {
  const { isServing, problem, plan, unknown } = status
  const served = plan?.state === 'serving' ? ` ${plan.model}` : plan?.state === 'routing' ? ' a fleet' : ''
  const all: Row[] = [
    ...(problem === null ? [] : [['reason', problem] satisfies Row]),
    ...order.flatMap(name => rowsOf(status, name)),
    ['report', paths.report],
    ['log', paths.log],
    ...unreadRows(unknown),
  ]
  return [
    isServing ? `SLM-Copilot is serving${served}.\n\n` : 'SLM-Copilot is not serving.\n\n',
    ...all.map(([name, text]) => row(name, text)),
  ].join('')
}
