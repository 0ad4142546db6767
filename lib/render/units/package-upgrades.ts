/** Package upgrades interrupt no stream: nginx's programs are replaced while it runs, and nothing else is restarted. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'

/** nginx's unit, as the first argument of policy-rc.d: invoke-rc.d passes the name without its suffix. */
const nginx = units.nginx.replace('.service', '')

/**
 * Asked by the scripts of Debian's packages before they act on a service (invoke-rc.d(8), deb-systemd-invoke(1p)).
 * nginx-common restarts nginx, which would cut off all streams, although the package nginx replaces the running program
 * a moment later, without an interruption. 101: not allowed.
 */
const packagePolicy = () => ({
  path: paths.packagePolicy,
  mode: 0o755,
  text: `#!/bin/sh
${written}
# nginx is never restarted by a package: its new program takes over while the old one finishes its streams.
while [ "\${1#--}" != "$1" ]; do shift; done
case "\${1%.service} $2" in
"${nginx} restart" | "${nginx} force-reload") exit 101 ;;
esac
exit 0
`,
})

/** Ubuntu's needrestart restarts what uses replaced libraries: llama-server, which has no network, can wait. */
const restartPolicy = () => ({
  path: paths.needrestartConfiguration,
  mode: 0o644,
  text: `${written}
# They would lose their streams and cached prompts, and have no network: the next reboot is early enough.
$nrconf{override_rc}->{qr(^slm-copilot)} = 0;
1;
`,
})

/** What needrestart runs in place of a restart of nginx. */
const nginxRestart = () => ({
  path: paths.needrestartNginx,
  mode: 0o755,
  text: `#!/bin/sh
${written}
# In place of a restart, which would cut off all streams (needrestart's README.needrestart in this folder).
exec invoke-rc.d ${nginx} upgrade
`,
})

export const packageUpgradeFiles = () => [packagePolicy(), restartPolicy(), nginxRestart()]
