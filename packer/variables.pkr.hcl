# What a bake takes. The defaults are those of the production image; packer/build/bake.ts gives a developer's own.

variable "base_image" {
  description = "A Debian 12 disk (qcow2) with OpenNebula's context agent."
  type        = string
  default     = "export/debian12.qcow2"
}

variable "one_apps_dir" {
  description = "A checkout of OpenNebula/one-apps: the framework that goes into the image."
  type        = string
}

variable "executable" {
  description = "The slm-copilot executable."
  type        = string
  default     = "dist/slm-copilot"
}

variable "shim" {
  description = "What the framework sources: functions that call the executable."
  type        = string
  default     = "packer/appliance.sh"
}

variable "release" {
  description = "A release file, to install other artefacts than those compiled in; empty: none."
  type        = string
  default     = "/dev/null"
}

variable "context_iso" {
  description = "A disk labelled CONTEXT: NETWORK, ETH0_* and SSH_PUBLIC_KEY in its context.sh let Packer in."
  type        = string
}

variable "ssh_key" {
  description = "The private key to that SSH_PUBLIC_KEY. The clean-up takes it out of the image."
  type        = string
}

variable "output_directory" {
  description = "Where the image is written; must not exist."
  type        = string
  default     = "export/slm-copilot"
}

variable "accelerator" {
  description = "kvm, or tcg where it does not work."
  type        = string
  default     = "kvm"
}

variable "cpu_model" {
  description = "host under kvm, max under tcg: llama-server wants AVX2."
  type        = string
  default     = "host"
}

variable "cpus" {
  type    = number
  default = 4
}

variable "memory" {
  description = "MB."
  type        = number
  default     = 16384
}

variable "disk_size" {
  description = "The context agent grows the root file system to it."
  type        = string
  default     = "50G"
}

variable "ssh_timeout" {
  type    = string
  default = "30m"
}

variable "serial" {
  description = "QEMU's name for where the console goes, such as file:/tmp/console.log."
  type        = string
  default     = "null"
}

variable "skip_compaction" {
  description = "Leaves the image as the VM left it: quicker, larger."
  type        = bool
  default     = false
}
