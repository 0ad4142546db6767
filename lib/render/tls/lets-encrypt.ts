/** certbot's renewals: which certificate, the CA that it trusts, and the hook that it runs afterwards. */

import { paths, units } from '../../appliance/paths.ts'
import { type Order, orderName } from '../../appliance/tls/lets-encrypt.ts'
import { writtenAtConfigure } from '../written.ts'

/** Run by certbot after a renewal (certbot(1), --deploy-hook): nginx reloads, which interrupts no connection. */
export const deployHook = () => ({
  path: paths.deployHook,
  mode: 0o755,
  text: `#!/bin/sh
# Written by slm-copilot.
exec systemctl try-reload-or-restart ${units.nginx}
`,
})

/** Renews the order's pair, if one was issued. Its name consists of letters, digits, dots and dashes. */
const renewal = (order: Order) => `[Unit]
ConditionPathExists=${paths.certbot}/renewal/${orderName(order)}.conf

[Service]
ExecStart=
ExecStart=/usr/bin/certbot -q renew --no-random-sleep-on-renew --cert-name ${orderName(order)}
${order.hasCa ? `Environment=REQUESTS_CA_BUNDLE=${paths.acmeCa}\n` : ''}`

/**
 * The drop-in for certbot's service, which a timer starts twice a day. Only the pair in use is renewed: the
 * names of others may no longer resolve to this VM. For a private ACME server, certbot trusts the CA given in
 * the context.
 */
export const certbotDropIn = (order: Order | undefined) => ({
  path: paths.certbotDropIn,
  mode: 0o644,
  text: `${writtenAtConfigure}
${order === undefined ? '[Unit]\n# Nothing to renew.\nConditionPathExists=!/\n' : renewal(order)}`,
})
