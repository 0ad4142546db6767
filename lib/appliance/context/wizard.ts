/** Where Sunstone's wizard shows a context variable: it groups inputs by the third part of a name of four. */
import type { Variable } from './variables.ts'

/** The name by which the wizard asks for a variable. */
export const wizardName = ({ name, alias }: Pick<Variable, 'name' | 'alias'>): string => alias ?? name

/** The group of a name such as `ONEAPP_COPILOT_TLS_DOMAIN`; one of three parts has none, and lands under "Others". */
export const groupOf = (name: string): string | undefined => name.match(/^ONEAPP_[^_]+_([^_]+)_/)?.[1]

/** The tab of the wizard, by the second part of the names. */
export const wizardTab = { name: 'COPILOT', title: 'SLM-Copilot' } as const

/** The groups' titles and help. */
export const wizardGroups: Record<string, { title: string; help: string }> = {
  API: { title: 'API keys', help: 'Who may use the assistant.' },
  TLS: {
    title: 'Certificate',
    help: "Without a domain or a certificate of your own, the VM's own CA signs the certificate.",
  },
  CONTEXT: { title: 'Conversations', help: 'How many at once, and how long each may be.' },
  CPU: { title: 'Processor', help: 'How much of it inference uses.' },
  AI: { title: 'Model', help: 'Which model is served, and where it is downloaded from.' },
  NTP: { title: 'Time', help: 'Which time servers the VM uses.' },
  UNATTENDED: { title: 'Operating system', help: 'How it gets security updates.' },
  METRICS: { title: 'Metrics', help: 'Who may read them, for monitoring.' },
  FLEET: { title: 'Fleet', help: 'Several VMs behind one address.' },
  SYSLOG: {
    title: 'Log forwarding',
    help: 'Which server receives a copy of the request log, and of warnings.',
  },
  LOG: { title: 'Log', help: 'What is recorded of requests, and in which form.' },
  STATE: { title: 'State', help: 'What outlives this VM.' },
  CACHE: { title: 'Prompt cache', help: 'What happens to prompts that have been processed.' },
}
