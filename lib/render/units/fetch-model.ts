/** The unit that fetches a model that is not in the image, while another one serves, or none. */
import { paths, units } from '../../appliance/paths.ts'
import { hardening } from './sandbox.ts'

/** Not enabled: bootstrap starts it when something is wanted. */
export const modelUnit = () => ({
  path: paths.modelService,
  mode: 0o644,
  text: `# Written by slm-copilot.
[Unit]
Description=SLM-Copilot: fetch the model that is asked for, and serve it
Documentation=file:${paths.report}
Wants=network-online.target
After=network-online.target ${units.nginx}
# Whatever ends it, it goes on: with what has come so far.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.executable} fetch-model
Restart=on-failure
RestartSec=15
# Ended by bootstrap, since nothing is wanted any more, or something else.
SuccessExitStatus=SIGTERM
# Gone with it: what is shown of a fetch that no longer runs would be a lie.
RuntimeDirectory=${paths.fetching.replace('/run/', '')}
RuntimeDirectoryMode=0755
# Those who are served come first.
Nice=10
IOSchedulingClass=idle

# It does what the stages do: writes settings, asks systemd to restart services, runs nginx -t and certbot.
ProtectSystem=strict
ReadWritePaths=/etc /opt/slm-copilot /run /var
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID CAP_SYS_PTRACE
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
${hardening}
`,
})
