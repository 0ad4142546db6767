/** The texts for the administrator: the full report, and the login banner without secrets. */

import { passwordName } from '../../appliance/context/values.ts'
import type { Model } from '../../appliance/models/catalogue.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { endpointUrl, originOf } from '../../appliance/names.ts'
import { paths } from '../../appliance/paths.ts'
import type { CompanionKind } from '../../appliance/requests/services.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { comparedText, expectedText } from '../../appliance/sizing/expected-speed.ts'
import { type Speed, speedText } from '../../appliance/sizing/speed.ts'
import { onOneLine, shellQuoted, wrapped } from '../../appliance/text.ts'
import { fileToTrust, type TlsSummary } from '../../appliance/tls/certificates.ts'
import { clientConfigurations, clientValues } from '../clients/clients.ts'
import { type ClientConfiguration, configurationText } from '../clients/configuration.ts'

export type Report = {
  /** Names and addresses, the preferred one first. */
  endpoints: string[]
  password: string
  capacity: Capacity
  /** The models of the services beside chat. */
  companions: CompanionModel[]
  /** Whether the model is being served. */
  serves: boolean
  /** Whether that is up to the copilots of a fleet. */
  isRouter: boolean
  services: { unit: string; state: string }[]
  tls: TlsSummary
  /** Absent if it could not be measured. */
  speed?: Speed | undefined
  notes: string[]
  /** Notes that the login banner omits. */
  remarks: string[]
}

const section = (title: string, fields: [string, string][]) => {
  const width = Math.max(20, ...fields.map(([name]) => name.length + 1))
  return [
    `[${title}]`,
    ...fields.map(([name, value]) => `${name.padEnd(width)}= ${onOneLine(value)}`),
    '',
  ].join('\n')
}

/** The source of the certificate in use, and what clients must trust. */
function tlsMode({ mode, names, isPublic }: TlsSummary): string {
  if (mode === 'private') return "signed by this VM's own CA; trust it once on each developer's machine"
  const issuer = isPublic ? "Let's Encrypt" : 'private ACME server'
  const trust = isPublic ? 'publicly trusted' : "trust its root on each developer's machine"
  return `${mode === 'supplied' ? 'supplied in the context' : issuer}, for ${names.join(', ')}; ${trust}`
}

/** Cline's configuration in full, and the command that shows the others. */
function clientsSection(clients: ClientConfiguration[]): string {
  const isShown = ({ name }: ClientConfiguration) => name === 'cline'
  const others = clients.filter(client => !isShown(client)).map(({ name }) => name)
  const sentence = `For ${others.join(', ')}: slm-copilot clients NAME`
  return `${clients.filter(isShown).map(configurationText).join('\n')}
[Other clients]
${wrapped(sentence, 78).join('\n')}
`
}

/** Of a model by URL, the file's own statement: nobody else has checked it. */
function licenceText({ licence, own }: Model): string {
  if (own === undefined) return licence ?? 'unknown'
  const stated = own.licence === undefined ? 'none' : JSON.stringify(own.licence)
  return `a model of your own: whether you may use it is for you to check; its file states ${stated}`
}

/** The measured and the expected speed. */
const speedFields = (speed: Speed | undefined, { model, threads }: Capacity): [string, string][] => [
  ['speed', speed === undefined ? 'not measured' : `${speedText(speed)} (measured at the last start)`],
  ['expected', expectedText(model.geometry, threads)],
  ...(speed === undefined
    ? []
    : ([['compared', comparedText(model.geometry, threads, speed)]] as [string, string][])),
]

const servingFields = ({ capacity, speed }: Report): [string, string][] => [
  ['conversations', `${capacity.slots} at once`],
  ['threads', String(capacity.threads)],
  ...speedFields(speed, capacity),
]

const routerFields: [string, string][] = [
  ['role', 'router: passes requests on to the copilots that slm-copilot status lists'],
]

const companionPaths: Record<CompanionKind, string> = {
  completion: '/infill, and at /v1/completions by its name',
  embeddings: '/v1/embeddings',
  reranking: '/v1/rerank',
}

/** The text of the report. */
export function reportText(report: Report) {
  const { endpoints, password, capacity, companions, services, tls } = report
  const notes = [...report.notes, ...report.remarks]
  const [first = 'localhost', ...others] = endpoints
  const url = endpointUrl(first)
  const { model, contextSize } = capacity
  const trusted = fileToTrust(tls)
  return [
    section('SLM-Copilot', [
      ['endpoint', url],
      ...others.map((name): [string, string] => ['also', endpointUrl(name)]),
      ['API key', password],
      ['user', `${passwordName} (Basic authentication, with the key as the password)`],
      ['model', report.serves ? model.name : `${model.name}, not served: see the notes`],
      ['licence', licenceText(model)],
      ['context', `${contextSize} tokens per conversation`],
      ...(report.isRouter ? routerFields : servingFields(report)),
      ...companions.map(({ kind, name }): [string, string] => [kind, `${name}, at ${companionPaths[kind]}`]),
    ]),
    section('TLS', [
      ['mode', tlsMode(tls)],
      ['valid until', tls.ends],
      [tls.mode === 'private' ? 'CA' : 'own CA, unused', `${originOf(first)}/ca.crt (no key needed)`],
      ['CA fingerprint', `SHA-256 ${tls.caFingerprint}`],
    ]),
    section(
      'Services',
      services.map(({ unit, state }) => [unit, state]),
    ),
    ...(notes.length === 0
      ? []
      : [
          section(
            'Notes',
            notes.map((note): [string, string] => ['note', note]),
          ),
        ]),
    `[Try it: prompts for the key, then requests a completion]
read -rs KEY && curl ${trusted === undefined ? '' : `--cacert ${trusted} `}-H @- ${url}/chat/completions \\
  --json '{"messages":[{"role":"user","content":"Hello"}]}' <<<"Authorization: Bearer $KEY"

${clientsSection(clientConfigurations(clientValues({ endpoints, capacity, companions, tls }, 'YOUR_KEY')))}`,
  ].join('\n')
}

/** The report as a managed file, readable by root only, since it contains the key. */
export const reportFile = (path: string, report: Report) => ({ path, mode: 0o600, text: reportText(report) })

/** The login banner: a shell script that prints a few lines in interactive shells only. It contains no secrets. */
export function loginBanner({
  endpoints,
  capacity,
  serves,
  isRouter,
  tls,
  notes,
}: Pick<Report, 'endpoints' | 'capacity' | 'serves' | 'isRouter' | 'tls' | 'notes'>) {
  const [first = 'localhost'] = endpoints
  const lines = [
    `SLM-Copilot${isRouter ? ' router' : ''}, model ${capacity.model.name}${serves ? '' : ' (not served)'}: ${endpointUrl(first)}`,
    `API key and editor settings, as root: cat ${paths.report}`,
    `Log: ${paths.log}`,
    'CA fingerprint, SHA-256:',
    ...(tls.caFingerprint.match(/.{1,48}/g) ?? []).map(part => `  ${part}`),
    // At 75 columns, a fingerprint is broken between two bytes.
    ...notes.flatMap(note => wrapped(`Note: ${note}`, 75)),
  ]
  const quoted = lines.map(line => `        ${shellQuoted(line)}`).join(' \\\n')
  return {
    path: paths.banner,
    mode: 0o644,
    text: `# Written by slm-copilot. Sourced by login shells.
case $- in
*i*)
    printf '  %s\\n' \\
${quoted}
    # While nothing can be generated: why. While a model is pending: its progress.
    if [ -r ${paths.unavailableReason} ]; then
        printf 'Not available: %s\\n' "$(cat ${paths.unavailableReason})" | fold -s -w 76 | sed 's/^/  /'
    fi
    if [ -r ${paths.fetchProgress} ]; then sed 's/^/  /' ${paths.fetchProgress}; fi
    ;;
esac
`,
  }
}
