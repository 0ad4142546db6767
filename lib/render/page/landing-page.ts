/** The landing page, shown to a developer who opens the appliance's address: a single file, without secrets. */
import { createHash } from 'node:crypto'
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import { originOf } from '../../appliance/names.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import { paths } from '../../appliance/paths.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { clientValues } from '../clients/clients.ts'
import { script, style } from './assets/parts.ts'
import { html } from './html.ts'
import { about, connect, fleet, privacy, tryIt } from './sections.ts'
import { type PageTls, trustSection } from './trust.ts'

export type LandingPage = {
  /** Names and addresses, the preferred one first. */
  endpoints: string[]
  capacity: Capacity
  /** The models of the services beside chat. */
  companions: CompanionModel[]
  cacheSharing: CacheSharing
  /** On a router: those that it passes requests on to. */
  copilots?: Copilot[]
  tls: PageTls
}

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/**
 * The page's Content Security Policy (https://www.w3.org/TR/CSP3/): its script, its style, and requests to this
 * host.
 */
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

const header = html`
<header>
  <h1>SLM-Copilot</h1>
  <p id="status" role="status" data-state="checking">Checking status …</p>
</header>`

/** The page's HTML. */
function pageText(page: LandingPage): string {
  const {
    endpoints: [endpoint = 'localhost'],
    copilots,
    tls,
  } = page
  const origin = originOf(endpoint)
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
