/** The marketplace template's variables: those of our own that both have, and what its build passes. */
import type { ListingFacts } from './facts.ts'
import { listing } from './listing.ts'

/** Taken over from packer/variables.pkr.hcl as they are. */
const shared = ['release', 'accelerator', 'cpu_model', 'cpus', 'memory', 'disk_size', 'ssh_timeout']

/** A variable's block in a HCL text. */
function blockOf(text: string, name: string): string {
  const [block] = text.match(new RegExp(`^variable "${name}" \\{\\n[\\s\\S]*?^\\}\\n`, 'm')) ?? []
  if (block === undefined) throw new Error(`packer/variables.pkr.hcl has no variable ${name}`)
  return block
}

/** build.sh passes them, some only in newer versions of one-apps; Packer rejects what is not declared. */
const passed = (name: string) => `variable "${name}" {
  type    = string
  default = ""
}
`

/** `own`: the text of packer/variables.pkr.hcl. */
export const marketplaceVariables = (
  own: string,
  { os, executable }: ListingFacts,
): string => `# What OpenNebula/marketplace-community's build passes, and what else may be set.

variable "appliance_name" {
  type    = string
  default = "${listing.name}"
}

variable "input_dir" {
  type = string
}

variable "output_dir" {
  type = string
}

variable "headless" {
  type    = bool
  default = true
}

${['version', 'distro', 'arch'].map(passed).join('\n')}
variable "base_image" {
  description = "The base that one-apps builds with \`make ${os.base}\`."
  type        = string
  default     = "../one-apps/export/${os.base}.qcow2"
}

variable "executable_url" {
  description = "The published executable."
  type        = string
  default     = "${executable.url}"
}

variable "executable_sha256" {
  type    = string
  default = "${executable.sha256}"
}

${shared.map(name => blockOf(own, name)).join('\n')}`
