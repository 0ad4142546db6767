/** The landing page, shown to a developer who opens the appliance's address: a single file, without secrets. */
import { createHash } from 'node:crypto'
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { endpointUrl } from '../../appliance/names.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import { paths } from '../../appliance/paths.ts'
import type { CompanionKind } from '../../appliance/requests/services.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import type { TlsSummary } from '../../appliance/tls/certificates.ts'
import { clientConfigurations, clientValues } from '../clients/clients.ts'
import type { ClientConfiguration, ClientValues } from '../clients/configuration.ts'
import { trustCommands } from '../clients/trust.ts'
import { script, style } from './assets/parts.ts'
import { type Html, html } from './html.ts'

export type LandingPage = {
  /** Names and addresses, the preferred one first. */
  endpoints: string[]
  capacity: Capacity
  /** The models of the services beside chat. */
  companions: CompanionModel[]
  cacheSharing: CacheSharing
  /** On a router: those that it passes requests on to. */
  copilots?: Copilot[]
  tls: Pick<TlsSummary, 'mode' | 'isPublic' | 'caFingerprint'>
}

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The page's Content Security Policy (https://www.w3.org/TR/CSP3/): its own script and style, and requests to this host. */
export const landingPagePolicy = [
  "default-src 'none'",
  `script-src ${digest(script)}`,
  `style-src ${digest(style)}`,
  "connect-src 'self'",
  // For the icon below. Without it browsers request /favicon.ico, which counts as a failed authentication.
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0f766e"/><path d="M4 5l3 3-3 3M8.5 11.5H12" fill="none" stroke="#fff" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/></svg>',
)}`

const copyable = (caption: string, text: string) => html`
        <figure class="copyable">
          <figcaption>${caption} <button type="button" hidden>Copy</button></figcaption>
          <pre tabindex="0"><code>${text}</code></pre>
        </figure>`

/** Tabs. Without JavaScript there are no buttons, and all panels are shown. */
const tabs = (label: string, all: ClientConfiguration[]) => html`
    <div class="tabs">
      <div role="tablist" aria-label="${label}" hidden>${all.map(
        ({ name, title }) => html`
        <button type="button" role="tab" id="tab-${name}" aria-controls="panel-${name}">${title}</button>`,
      )}
      </div>${all.map(
        ({ name, title, note, snippets }) => html`
      <section role="tabpanel" id="panel-${name}" aria-labelledby="tab-${name}">
        <h3>${title}</h3>${
          note === undefined
            ? ''
            : html`
        <p>${note}</p>`
        }${snippets.map(({ place, text }) => copyable(`In ${place}`, text))}
      </section>`,
      )}
    </div>`

const trust = (origin: string, caFingerprint: string) => html`
  <section aria-labelledby="trust">
    <h2 id="trust">Trust the certificate</h2>
    <p>
      This machine’s certificate is signed by a certificate authority (CA) of its own. Trust that CA once on your computer,
      and every client can verify the server. Doing so, you trust whoever administers this machine, within the CA’s
      limits: it can vouch for servers with exactly this machine’s names and for IP addresses, but for no other site by
      name.
    </p>
    <p><a class="button" href="/ca.crt" download="ca.crt">Download ca.crt</a></p>
    <p>
      Before you trust the file, compare its fingerprint with the one in the appliance’s report: ask whoever runs it.
      It is shown here too, but this page came over a connection that is not verified yet.
    </p>
    <div id="fingerprint">${copyable('SHA-256 fingerprint', caFingerprint)}
    </div>${tabs('Systems', trustCommands({ caUrl: `${origin}/ca.crt`, caFile: 'ca.crt' }))}
  </section>`

/** The first step, unless the certificate is publicly trusted. */
function trustSection(origin: string, { mode, isPublic, caFingerprint }: LandingPage['tls']): Html | '' {
  if (isPublic) return ''
  if (mode === 'private') return trust(origin, caFingerprint)
  return html`
  <section aria-labelledby="trust">
    <h2 id="trust">Trust the certificate</h2>
    <p>
      This machine’s certificate was issued by an authority that clients do not trust by default. Ask whoever runs this
      appliance for its root certificate; below it is called <code>root.crt</code>.
    </p>
  </section>`
}

const header = html`
<header>
  <h1>SLM-Copilot</h1>
  <p id="status" role="status" data-state="checking">Checking status …</p>
</header>`

const fleet = (copilots: Copilot[]) => html`
  <section aria-labelledby="fleet">
    <h2 id="fleet">The machines behind this address</h2>
    <p>
      ${copilots.length === 0 ? 'None is known yet.' : 'A conversation stays on one of them, which remembers its beginning.'}
    </p>
    <dl>${copilots.map(
      ({ name, model, slots, version, since }) => html`
      <div><dt>${name}</dt><dd><code>${model}</code>, ${slots} answers at once${version === '' ? '' : `, version ${version}`}, since ${since.slice(0, 10)}</dd></div>`,
    )}
    </dl>
  </section>`

const kinds: Record<CompanionKind, string> = {
  completion: 'Completion',
  embeddings: 'Embeddings',
  reranking: 'Reranking',
}

const about = (
  origin: string,
  { capacity: { model, contextSize, slots }, companions }: Pick<LandingPage, 'capacity' | 'companions'>,
  isRouter: boolean,
) => html`
  <section aria-label="About">
    <p class="lead">
      A private coding assistant. <strong>${model.name}</strong> runs on ${isRouter ? 'the CPUs of the machines below' : 'this machine’s own CPUs'}: what you send it stays
      ${isRouter ? 'there' : 'here'}, and the model has no network at all. Point your editor at it; it speaks the APIs of OpenAI and Anthropic.
    </p>
    <dl>
      <div><dt>Endpoint</dt><dd><code>${origin}/v1</code></dd></div>
      <div><dt>Model</dt><dd><code>${model.name}</code></dd></div>
      <div><dt>Context window</dt><dd>${contextSize} tokens</dd></div>
      ${isRouter ? '' : html`<div><dt>Concurrent answers</dt><dd>${slots}</dd></div>`}${companions.map(
        ({ kind, name }) => html`
      <div><dt>${kinds[kind]}</dt><dd><code>${name}</code></dd></div>`,
      )}
    </dl>
  </section>`

const sharing: Record<CacheSharing, string> = {
  'one-key':
    'Everybody here has the same key, and with it one cache: how soon an answer begins, and the tokens that it says were cached, show whether a text that one already knows was sent before. Ask whoever runs this appliance for a key of your own.',
  separate:
    'Each key has a cache of its own: what you send is neither reused for another key nor shown by it. What others can notice is that the machine is busy.',
  shared:
    'All keys share one cache, as whoever runs this appliance has chosen: how soon an answer begins shows whether a text that one already knows was sent before, by anybody. The text itself is not shown to others.',
}

const privacy = (cacheSharing: CacheSharing, isRouter: boolean) => html`
  <section aria-labelledby="privacy">
    <h2 id="privacy">What others can see</h2>
    <p>
      The start of a conversation stays in ${isRouter ? 'the memory of the machine that answers it' : 'this machine’s memory'}, so that it need not be computed again.
      ${sharing[cacheSharing]}
    </p>
  </section>`

const connect = (values: ClientValues) => html`
  <section aria-labelledby="connect">
    <h2 id="connect">Connect your editor</h2>
    <p>Replace <code>YOUR_KEY</code> with your key. Whoever runs this appliance can give you one.</p>${tabs(
      'Clients',
      clientConfigurations(values),
    )}
  </section>`

const tryIt = html`
  <section aria-labelledby="try">
    <h2 id="try">Try it here</h2>
    <noscript><p>This needs JavaScript.</p></noscript>
    <form hidden>
      <label for="key">Key <small>kept in this page only, until you leave it</small></label>
      <input id="key" type="password" required autocomplete="off" autocapitalize="off" spellcheck="false">
      <label for="question">Question</label>
      <textarea id="question" rows="3" required>Write a function that tells whether a string is a palindrome.</textarea>
      <p class="buttons">
        <button id="send" type="submit">Ask</button>
        <button id="stop" type="button" disabled>Stop</button>
        <span id="outcome" role="status"></span>
      </p>
      <pre id="answer" aria-live="polite" aria-label="Answer" tabindex="0"></pre>
    </form>
  </section>`

/** The page's HTML. */
function pageText(page: LandingPage): string {
  const {
    endpoints: [endpoint = 'localhost'],
    copilots,
    tls,
  } = page
  const origin = endpointUrl(endpoint).replace(/\/v1$/, '')
  return html`<!doctype html>
<html lang="en" data-origin="${origin}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>SLM-Copilot</title>
<link rel="icon" href="${icon}">
<style>${{ markup: style }}</style>
</head>
<body>${header}
<main>${about(origin, page, copilots !== undefined)}${copilots === undefined ? '' : fleet(copilots)}${trustSection(origin, tls)}${connect(clientValues(page, 'YOUR_KEY'))}${tryIt}${privacy(page.cacheSharing, copilots !== undefined)}
</main>
<script type="module">${{ markup: script }}</script>
</body>
</html>
`.markup
}

/** The page as a managed file. No reload is needed when it changes: nginx opens it for each request. */
export const landingPage = (page: LandingPage) => ({
  path: paths.landingPage,
  mode: 0o644,
  text: pageText(page),
})
