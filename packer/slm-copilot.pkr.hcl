# The image: a base with OpenNebula's context agent + the framework + ours, installed by the framework's own stage.
#
# `make up` bakes a small one. Production, with current Packer, from the checkout's root:
#   make -C ../one-apps debian12                                   the base: ../one-apps/export/debian12.qcow2
#   ssh-keygen -q -t ed25519 -N '' -f bake-key && mkdir context
#   echo "NETWORK='YES' ETH0_METHOD='dhcp' ETH0_MAC='02:00:0a:00:02:0f' ETH0_DNS='10.0.2.3'" | tr ' ' '\n' > context/context.sh
#   echo "SSH_PUBLIC_KEY='$(cat bake-key.pub)'" >> context/context.sh
#   genisoimage -quiet -V CONTEXT -J -R -o context.iso context
#   packer init packer && packer build -var one_apps_dir=../one-apps -var context_iso=context.iso \
#     -var ssh_key=bake-key -var base_image=../one-apps/export/debian12.qcow2 packer

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
    ["-cdrom", var.context_iso],
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

build {
  sources = ["source.qemu.slm-copilot"]

  provisioner "shell" {
    scripts = ["packer/provision/ssh-hardening.sh", "packer/provision/folders.sh"]
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
    scripts = ["packer/provision/install.sh", "packer/provision/clean-up.sh"]
  }
}
