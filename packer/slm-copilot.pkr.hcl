# The image: a base with OpenNebula's context agent + the framework + ours, installed by the framework's own stage.
# `make image` bakes it for production, `make up` a small one; both by packer/build/bake.ts.

source "qemu" "slm-copilot" {
  accelerator = var.accelerator
  cpus        = var.cpus
  memory      = var.memory
  headless    = true

  disk_image       = true
  iso_url          = var.base_image
  iso_checksum     = "none"
  disk_size        = var.disk_size
  disk_interface   = "virtio"
  disk_cache       = "unsafe"
  disk_discard     = "unmap"
  format           = "qcow2"
  skip_compaction  = var.skip_compaction
  output_directory = var.output_directory
  vm_name          = "slm-copilot.qcow2"

  net_device = "virtio-net"
  qemuargs = [
    ["-cpu", var.cpu_model],
    ["-cdrom", var.context_disk],
    # Packer's own default, plus the MAC address that the context's ETH0_MAC names.
    ["-device", "virtio-net,netdev=user.0,mac=02:00:0a:00:02:0f"],
    ["-serial", var.serial],
  ]

  # Connecting before the guest's network is up takes longer: lost packets are retransmitted at growing intervals.
  boot_wait              = "15s"
  ssh_username           = "root"
  ssh_private_key_file   = var.ssh_key
  ssh_timeout            = var.ssh_timeout
  ssh_handshake_attempts = 1000
  shutdown_command       = "poweroff"
}

# Without KVM, packer/build/bake-in-container.ts boots the base image in a container instead.
source "null" "slm-copilot" {
  ssh_host               = "127.0.0.1"
  ssh_port               = var.ssh_port
  ssh_username           = "root"
  ssh_private_key_file   = var.ssh_key
  ssh_timeout            = var.ssh_timeout
  ssh_handshake_attempts = 1000
}

build {
  # One of them, with -only.
  sources = ["source.qemu.slm-copilot", "source.null.slm-copilot"]

  provisioner "shell" {
    scripts = [
      "packer/provision/needrestart.sh",
      "packer/provision/ssh-hardening.sh",
      "packer/provision/folders.sh",
    ]
  }

  # The framework.
  provisioner "file" {
    source      = "${var.one_apps_dir}/appliances/service.sh"
    destination = "/etc/one-appliance/service"
  }
  provisioner "file" {
    sources = [
      "${var.one_apps_dir}/appliances/lib/common.sh",
      "${var.one_apps_dir}/appliances/lib/functions.sh",
    ]
    destination = "/etc/one-appliance/lib/"
  }
  provisioner "file" {
    sources = [
      "${var.one_apps_dir}/appliances/scripts/net-90-service-appliance",
      "${var.one_apps_dir}/appliances/scripts/net-99-report-ready",
      "packer/context/loc-05-slm-copilot-stale-pipe",
    ]
    destination = "/etc/one-context.d/"
  }

  # Ours.
  provisioner "file" {
    source      = var.shim
    destination = "/etc/one-appliance/service.d/appliance.sh"
  }
  provisioner "file" {
    source      = var.executable
    destination = "/opt/one-appliance/bin/slm-copilot"
  }
  provisioner "file" {
    source      = var.release
    destination = "/tmp/slm-copilot-release.json"
  }

  provisioner "shell" {
    environment_vars = ["BUNDLE_SERVER=${var.bundle_server}"]
    scripts          = ["packer/provision/install.sh"]
  }

  # What is inside, when all packages are.
  provisioner "shell" {
    environment_vars = ["ONE_APPS_COMMIT=${var.one_apps_commit}"]
    scripts          = ["packer/provision/no-cloud-init.sh", "packer/provision/sbom.sh"]
  }

  # What the manifest says about the image.
  provisioner "file" {
    direction   = "download"
    source      = "/etc/os-release"
    destination = "${var.facts_directory}/os-release"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/usr/share/doc/slm-copilot/sbom.cdx.json"
    destination = "${var.facts_directory}/sbom.cdx.json"
  }

  provisioner "shell" {
    scripts = ["packer/provision/clean-up.sh"]
  }
}
