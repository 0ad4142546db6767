/** The OneFlow service: a router and as many copilots as there is work for, from the records and the listing. */
import { type Variable, variables } from '../../../lib/appliance/context/variables.ts'
import { wizardName } from '../../../lib/appliance/context/wizard.ts'
import { loadNames } from '../../../lib/appliance/fleet/attributes.ts'
import { userInput } from '../../../lib/render/text/user-inputs.ts'
import { listing } from './listing.ts'

/** Inputs of every VM, of routers, and of copilots. */
const inputsOf = {
  // A router tells clients which model and how much context to expect.
  all: [
    variables.fleetKey,
    variables.model,
    variables.contextSize,
    variables.ntpServers,
    variables.unattendedUpgrades,
  ],
  router: [
    variables.password,
    variables.keys,
    variables.floatingAddresses,
    variables.domain,
    variables.tlsCertificate,
    variables.tlsKey,
    variables.acmeEmail,
    variables.acmeUrl,
    variables.acmeCa,
    variables.metricsKey,
    variables.logFormat,
  ],
  copilot: [
    variables.modelMirror,
    variables.parallel,
    variables.threads,
    variables.persistPromptCache,
    variables.drainLimit,
  ],
} as const

/** Without its key a router cannot ask the copilots for anything. */
const mandatory: readonly unknown[] = [variables.fleetKey]

const userInputs = (records: readonly unknown[]) =>
  Object.fromEntries(
    (records as Variable[]).map(variable => {
      const input = userInput(variable)
      return [wizardName(variable), mandatory.includes(variable) ? input.replace(/^O/, 'M') : input]
    }),
  )

const network = (name: string, help: string) => ({ [name]: `M|network|${help}| |id:` })

/** Seconds, and how often in a row. OneFlow takes the mean of an attribute over the role's running VMs. */
const period = 60
const cooldown = 300
const grow = { over: 80, periods: 3 }
const shrink = { under: 20, periods: 10 }

const elasticity = [
  {
    type: 'CHANGE',
    adjust: 1,
    expression: `${loadNames.busyPercent} > ${grow.over}`,
    period_number: grow.periods,
    period,
    cooldown,
  },
  {
    type: 'CHANGE',
    adjust: -1,
    expression: `${loadNames.busyPercent} < ${shrink.under}`,
    period_number: shrink.periods,
    period,
    cooldown,
  },
]

/** Until all VMs are known by their own identifiers, which differ between installations. */
const unknownTemplate = 0

/**
 * As `oneflow-template create` takes it (OpenNebula 7, src/oca/ruby/opennebula/flow/service_template.rb). Both
 * roles use the VM template of the appliance, whose ID is to be filled in; an import from the marketplace does
 * that. They are deployed at the same time: each finds the other, whichever comes first.
 */
export const serviceTemplate = () => ({
  name: listing.serviceTitle,
  description:
    'One address for many developers: a router, and copilots that are added and removed with the work.',
  deployment: 'none',
  ready_status_gate: true,
  automatic_deletion: false,
  // By ACPI, so that a copilot answers what it has begun before it stops.
  shutdown_action: 'terminate',
  networks: {
    ...network('Service', 'The network in which developers reach the router'),
    ...network('Private', 'The network between the router and the copilots'),
  },
  user_inputs: userInputs(inputsOf.all),
  roles: [
    {
      name: 'router',
      type: 'vm',
      cardinality: 1,
      min_vms: 1,
      template_id: unknownTemplate,
      user_inputs: userInputs(inputsOf.router),
      template_contents: {
        [wizardName(variables.role)]: 'router',
        MEMORY: '1024',
        VCPU: '2',
        CPU: '1',
        NIC: [
          { NAME: 'NIC0', NETWORK_ID: '$Service' },
          { NAME: 'NIC1', NETWORK_ID: '$Private' },
        ],
      },
    },
    {
      name: 'copilot',
      type: 'vm',
      cardinality: 1,
      min_vms: 1,
      max_vms: 8,
      cooldown,
      template_id: unknownTemplate,
      user_inputs: userInputs(inputsOf.copilot),
      template_contents: {
        [wizardName(variables.role)]: 'copilot',
        NIC: [{ NAME: 'NIC0', NETWORK_ID: '$Private' }],
      },
      elasticity_policies: elasticity,
      scheduled_policies: [],
    },
  ],
})
