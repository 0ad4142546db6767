/**
 * The edge proxy's server on port 80: ACME challenges, the CA's certificate; everything else is redirected to
 * HTTPS.
 */
import { noBodyLimit } from '../../appliance/nginx/limits.ts'
import { paths, ports } from '../../appliance/paths.ts'
import { listen } from './listen.ts'
import type { Site } from './site.ts'

export const plainServer = ({ hasIpv6 }: Site) => `server {
    ${listen(ports.http, hasIpv6)}
    server_name _;
    client_max_body_size ${noBodyLimit};
    # One request a connection, since the rate of connections is limited.
    keepalive_timeout 0;

    location /.well-known/acme-challenge/ {
        root ${paths.acme};
    }
    location = /ca.crt {
        alias ${paths.caCertificate};
        default_type application/x-x509-ca-cert;
    }
    location / {
        return 308 https://$host$request_uri;
    }
}`
