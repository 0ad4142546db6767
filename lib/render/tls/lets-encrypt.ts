/** How certbot renews: which certificate, which CA it trusts, and the hook that it runs afterwards. */

import { paths, units } from '../../appliance/paths.ts'
import { type Order, orderName } from '../../appliance/tls/lets-encrypt.ts'

/** certbot runs it when it has renewed a pair (certbot(1), --deploy-hook): nginx takes it up and cuts nobody. */
export const deployHook = () => ({
  path: paths.deployHook,
  mode: 0o755,
  text: `#!/bin/sh
# Written by slm-copilot.
exec systemctl try-reload-or-restart ${units.nginx}
`,
})

/** Renews the order's pair, if it has brought one. The name is of letters, digits, dots and dashes. */
const renewal = (order: Order) => `[Unit]
ConditionPathExists=${paths.certbot}/renewal/${orderName(order)}.conf

[Service]
ExecStart=
ExecStart=/usr/bin/certbot -q renew --no-random-sleep-on-renew --cert-name ${orderName(order)}
${order.hasCa ? `Environment=REQUESTS_CA_BUNDLE=${paths.acmeCa}\n` : ''}`

/**
 * certbot's service, which its timer starts twice a day, renews the pair in use alone: those that are out of use wait
 * as they are, since their names may no longer lead here. A private ACME server is trusted by the CA given for it.
 */
export const certbotDropIn = (order: Order | undefined) => ({
  path: paths.certbotDropIn,
  mode: 0o644,
  text: `# Written by slm-copilot at every configure; changes made here are lost.
${order === undefined ? '[Unit]\n# Nothing to renew.\nConditionPathExists=!/\n' : renewal(order)}`,
})
