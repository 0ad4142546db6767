# For Packer 1.7 and newer (`packer init packer`). Debian's 1.6.6 has the QEMU builder built in and does not know this
# block: packer/build/bake.ts leaves this file out for it.
packer {
  required_plugins {
    qemu = {
      source  = "github.com/hashicorp/qemu"
      version = "= 1.1.0"
    }
  }
}
