# The image, as OpenNebula/marketplace-community bakes it: on a base from one-apps, by the scripts that SLM-Copilot's own
# `make image` uses. The executable is the published one.

locals {
  # For this build only: 81-configure-ssh.sh turns password logins off, and postprocess.sh removes root's password.
  password = uuidv4()
}

source "null" "context" { communicator = "none" }

# Packer starts both builds at once; this one ends while QEMU's disk is still being copied.
build {
  sources = ["source.null.context"]

  provisioner "shell-local" {
    environment_vars = ["PASSWORD=${local.password}"]
    inline = [
      "mkdir -p ${var.input_dir}/context",
      "${var.input_dir}/gen_context > ${var.input_dir}/context/context.sh",
      "mkisofs -quiet -o ${var.input_dir}/${var.appliance_name}-context.iso -V CONTEXT -J -R ${var.input_dir}/context",
    ]
  }
}

source "qemu" "slm-copilot" {
  accelerator = var.accelerator
  cpus        = var.cpus
  memory      = var.memory
  headless    = var.headless

  disk_image       = true
  iso_url          = var.base_image
  iso_checksum     = "none"
  disk_size        = var.disk_size
  disk_interface   = "virtio"
  disk_cache       = "unsafe"
  disk_discard     = "unmap"
  format           = "qcow2"
  output_directory = var.output_dir
  vm_name          = var.appliance_name

  net_device = "virtio-net"
  qemuargs = [
    ["-cpu", var.cpu_model],
    ["-cdrom", "${var.input_dir}/${var.appliance_name}-context.iso"],
    # Packer's own default, plus the MAC address that the context's ETH0_MAC names.
    ["-device", "virtio-net,netdev=user.0,mac=02:00:0a:00:02:0f"],
    ["-serial", "stdio"],
  ]

  ssh_username           = "root"
  ssh_password           = local.password
  ssh_timeout            = var.ssh_timeout
  ssh_handshake_attempts = 1000
  shutdown_command       = "poweroff"
}

build {
  sources = ["source.qemu.slm-copilot"]

  # First of all, because it may fail: the executable, verified.
  provisioner "shell-local" {
    inline = [
      "curl --fail --location --retry 3 --output ${var.input_dir}/slm-copilot '${var.executable_url}'",
      "echo '${var.executable_sha256}  ${var.input_dir}/slm-copilot' | sha256sum --check",
    ]
  }

  provisioner "shell" {
    scripts = ["${var.input_dir}/81-configure-ssh.sh", "${var.input_dir}/80-create-folders.sh"]
  }

  # The framework.
  provisioner "file" {
    source      = "../one-apps/appliances/service.sh"
    destination = "/etc/one-appliance/service"
  }
  provisioner "file" {
    sources     = ["../../lib/common.sh", "../../lib/functions.sh"]
    destination = "/etc/one-appliance/lib/"
  }
  provisioner "file" {
    sources = [
      "../one-apps/appliances/scripts/net-90-service-appliance",
      "../one-apps/appliances/scripts/net-99-report-ready",
      "${var.input_dir}/loc-05-slm-copilot-stale-pipe",
    ]
    destination = "/etc/one-context.d/"
  }

  # Ours.
  provisioner "file" {
    source      = "../../appliances/slm-copilot/appliance.sh"
    destination = "/etc/one-appliance/service.d/appliance.sh"
  }
  provisioner "file" {
    source      = "${var.input_dir}/slm-copilot"
    destination = "/opt/one-appliance/bin/slm-copilot"
    generated   = true
  }
  provisioner "file" {
    source      = var.release
    destination = "/tmp/slm-copilot-release.json"
  }

  # Modes, links, and the framework's install stage, which downloads the model.
  provisioner "shell" {
    scripts = ["${var.input_dir}/82-configure-context.sh", "${var.input_dir}/98-collect-garbage.sh"]
  }

  post-processor "shell-local" {
    environment_vars = ["OUTPUT_DIR=${var.output_dir}", "APPLIANCE_NAME=${var.appliance_name}"]
    scripts          = ["../one-apps/packer/postprocess.sh"]
  }
}
