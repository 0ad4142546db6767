/** The section of the landing page that says how to trust the certificate. */
import type { TlsSummary } from '../../appliance/tls/certificates.ts'
import { trustCommands } from '../clients/trust.ts'
import { copyable, tabs } from './elements.ts'
import { type Html, html } from './html.ts'

/** What the page says of the certificate in use. */
export type PageTls = Pick<TlsSummary, 'mode' | 'isPublic' | 'caFingerprint'>

const trust = (origin: string, caFingerprint: string) => html`
  <section aria-labelledby="trust">
    <h2 id="trust">Trust the certificate</h2>
    <p>
      This machine’s certificate is signed by a certificate authority (CA) of its own. Trust that CA once on your computer,
      and every client can verify the server. That means trusting this machine’s administrator, within the CA’s
      limits: it can vouch for servers with exactly this machine’s names and for IP addresses, but for no other site by
      name.
    </p>
    <p><a class="button" href="/ca.crt" download="ca.crt">Download ca.crt</a></p>
    <p>
      Before you trust the file, compare its fingerprint with the one in the appliance’s report: ask the administrator.
      It is shown here too, but this page came over a connection that is not verified yet.
    </p>
    <div id="fingerprint">${copyable('SHA-256 fingerprint', caFingerprint)}
    </div>${tabs('Systems', trustCommands({ caUrl: `${origin}/ca.crt`, caFile: 'ca.crt' }))}
  </section>`

/** The first step, unless the certificate is publicly trusted. */
export function trustSection(origin: string, { mode, isPublic, caFingerprint }: PageTls): Html | '' {
  if (isPublic) return ''
  if (mode === 'private') return trust(origin, caFingerprint)
  return html`
  <section aria-labelledby="trust">
    <h2 id="trust">Trust the certificate</h2>
    <p>
      This machine’s certificate was issued by an authority that clients do not trust by default. Ask the
      administrator for its root certificate; below it is called <code>root.crt</code>.
    </p>
  </section>`
}
