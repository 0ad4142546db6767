/** The VM template that is imported with the image: capacity, context, and the wizard's inputs. */
import { type Variable, variableList, variables } from '../../../lib/appliance/context/variables.ts'
import { wizardGroups, wizardName, wizardTab } from '../../../lib/appliance/context/wizard.ts'
import { userInput } from '../../../lib/render/text/user-inputs.ts'
import { listing } from './listing.ts'

/** By the wizard's name of a variable in lower case, as the marketplace writes them; OpenNebula capitalises them. */
const byName = <T>(value: (variable: Variable) => T) =>
  Object.fromEntries(variableList.map(variable => [wizardName(variable).toLowerCase(), value(variable)]))

/** The model's input offers the one in the image first, which need not be in the catalogue. */
const inputOf = (variable: Variable, model: string): string =>
  variable.name === variables.model.name
    ? userInput({ ...variable, options: [...new Set([model, ...(variable.options ?? [])])] }, model)
    : userInput(variable)

/** Titles and help for the wizard's tab and groups. */
const inputsMetadata = [
  { type: 'APP', name: wizardTab.name, title: wizardTab.title },
  ...Object.entries(wizardGroups).map(([name, { title, help }]) => ({
    type: 'GROUP',
    name,
    title,
    description: help,
  })),
]

/** `model`: the one in the image. */
export const template = (model: string) => ({
  context: {
    network: 'YES',
    token: 'YES',
    report_ready: 'YES',
    set_hostname: '$NAME',
    ssh_public_key: '$USER[SSH_PUBLIC_KEY]',
    ...byName(variable => `$${wizardName(variable)}`),
  },
  cpu: String(listing.vcpu),
  vcpu: String(listing.vcpu),
  memory: String(listing.memory),
  cpu_model: { model: 'host-passthrough' },
  graphics: { listen: '0.0.0.0', type: 'vnc' },
  os: { arch: 'x86_64' },
  inputs_order: variableList.map(wizardName).join(','),
  user_inputs: byName(variable => inputOf(variable, model)),
  user_inputs_metadata: inputsMetadata,
})
