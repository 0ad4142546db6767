# Inputs of a bake. The defaults are for the production image; packer/build/bake.ts passes those for development.

variable "base_image" {
  description = "A Debian 13 disk (qcow2) with OpenNebula's context agent."
  type        = string
  default     = "export/debian13.qcow2"
}

variable "one_apps_dir" {
  description = "A checkout of OpenNebula/one-apps: the framework that goes into the image."
  type        = string
}

variable "one_apps_commit" {
  description = "That checkout's commit, for the software bill of materials; empty if unknown."
  type        = string
  default     = ""
}

variable "executable" {
  description = "The slm-copilot executable."
  type        = string
  default     = "dist/slm-copilot"
}

variable "shim" {
  description = "The script that the framework sources: functions that call the executable."
  type        = string
  default     = "packer/appliance.sh"
}

variable "release" {
  description = "A release file, to install other artefacts than the built-in ones; an empty file means none."
  type        = string
  default     = "/dev/null"
}

variable "bundle_server" {
  description = "A server of a bundle (`make bundle`) in place of the internet, as the VM reaches it."
  type        = string
  default     = ""
}

variable "context_disk" {
  description = "A disk labelled CONTEXT: NETWORK, ETH0_* and SSH_PUBLIC_KEY in its context.sh let Packer in."
  type        = string
}

variable "ssh_key" {
  description = "The private key for that SSH_PUBLIC_KEY, which the clean-up removes from the image."
  type        = string
}

variable "ssh_port" {
  description = "Where the container's SSH server can be reached on 127.0.0.1, if that is what is provisioned."
  type        = number
  default     = 22
}

variable "output_directory" {
  description = "The folder for the image; it must not exist."
  type        = string
  default     = "export/slm-copilot"
}

variable "facts_directory" {
  description = "An existing folder for what is read from the VM at the end: os-release."
  type        = string
  default     = "export"
}

variable "accelerator" {
  description = "kvm, or tcg where KVM is not available."
  type        = string
  default     = "kvm"
}

variable "cpu_model" {
  description = "host with kvm, max with tcg, so that llama-server has AVX2."
  type        = string
  default     = "host"
}

variable "cpus" {
  type    = number
  default = 4
}

variable "memory" {
  description = "Memory of the VM in MB."
  type        = number
  default     = 16384
}

variable "disk_size" {
  description = "Size of the disk; the context agent grows the root file system to it."
  type        = string
  default     = "50G"
}

variable "ssh_timeout" {
  type    = string
  default = "30m"
}

variable "serial" {
  description = "Where QEMU sends the serial console, such as file:/tmp/console.log."
  type        = string
  default     = "null"
}

variable "skip_compaction" {
  description = "Do not compact the image: faster, but the image is larger."
  type        = bool
  default     = false
}
