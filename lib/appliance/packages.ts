/** The Debian packages that the appliance needs besides those of its base image. */

/**
 * curl: downloads. haproxy: passes requests on, on a router. keepalived: its
 * floating address, if it has one. libgomp1: llama-server's threads.
 * libnginx-mod-http-js: the request filter. nftables: the connection limit. certbot: public certificates. chrony:
 * replaces systemd-timesyncd. minisign: verifies releases. rsyslog, rsyslog-gnutls: forward logs over TLS if the
 * context asks for it; Debian's own service for it is masked. unattended-upgrades: idle unless the context asks for
 * it.
 */
export const packages = [
  'ca-certificates',
  'certbot',
  'chrony',
  'curl',
  'haproxy',
  'keepalived',
  'libgomp1',
  'libnginx-mod-http-js',
  'logrotate',
  'minisign',
  'nftables',
  'nginx',
  'rsyslog',
  'rsyslog-gnutls',
  'unattended-upgrades',
]
