import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { CacheSharing } from '../../../../lib/appliance/nginx/cache-sharing.ts'
import { paths } from '../../../../lib/appliance/paths.ts'
import { services } from '../../../../lib/appliance/services/services.ts'
import type { TlsMode } from '../../../../lib/appliance/tls/certificates.ts'
import { clientConfigurations } from '../../../../lib/render/clients/clients.ts'
import { edgeConfiguration } from '../../../../lib/render/nginx/edge.ts'
import { html } from '../../../../lib/render/page/html.ts'
import { landingPage, landingPagePolicy } from '../../../../lib/render/page/landing-page.ts'
import { capacityFor, tinyModel } from '../../../support/capacity.ts'
import { siteWith } from '../../../support/site.ts'

const values = {
  endpoints: ['copilot.example.com', '192.0.2.7'],
  capacity: capacityFor(tinyModel, { contextSize: 4096 }),
  companions: [],
  cacheSharing: 'one-key' as CacheSharing,
  tls: { mode: 'private' as TlsMode, isPublic: false, caFingerprint: 'AB:CD' },
}
const pageOf = (overrides: Partial<typeof values> = {}) => landingPage({ ...values, ...overrides }).text

it('escapes values in text and attributes, and inserts markup unchanged', () => {
  const evil = `<script>&"'</script>`
  const { markup } = html`<p title="${evil}">${evil}${html`<b>${1}</b>`}${[html`<i>`, html`</i>`]}</p>`
  const escaped = '&lt;script&gt;&amp;&quot;&#39;&lt;/script&gt;'
  expect(markup).toBe(`<p title="${escaped}">${escaped}<b>1</b><i></i></p>`)
})

it('lets no name become markup', () => {
  const evil = `"><img src=x onerror='alert(1)'>`
  const page = pageOf({
    endpoints: [evil],
    capacity: { ...values.capacity, model: { ...tinyModel, name: evil } },
  })
  expect(page).not.toContain('<img')
  expect(page.split('&lt;img src=x').length).toBeGreaterThan(4)
})

it('has exactly one script and one style, both allowed by its policy', () => {
  const page = pageOf()
  for (const element of ['script', 'style']) {
    const texts = [...page.matchAll(new RegExp(`<${element}[^>]*>(.*?)</${element}>`, 'gs'))]
    const hashes = texts.map(([, text = '']) => createHash('sha256').update(text).digest('base64'))
    expect(texts.map(([, text = '']) => text.length > 1000)).toEqual([true])
    expect(landingPagePolicy).toContain(`${element}-src 'sha256-${hashes[0]}';`)
  }
  expect(landingPagePolicy).not.toMatch(/unsafe|\*|https?:/)
  expect(page).not.toMatch(/ (style|on\w+)=/)
})

it('loads nothing from other hosts', () => {
  const places = [...pageOf().matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, place]) => place)
  expect(places).toEqual([expect.stringMatching(/^data:image\/svg\+xml,[^<>"]*$/), '/ca.crt'])
})

it("shows all clients' configurations, without the key", () => {
  const page = pageOf()
  const configurations = clientConfigurations({
    endpoint: 'copilot.example.com',
    model: 'tiny',
    contextSize: 4096,
    thoughts: 0,
    companions: {},
    key: 'YOUR_KEY',
    caFile: '/path/to/ca.crt',
  })
  expect(configurations.length).toBeGreaterThan(0)
  for (const { text } of configurations.flatMap(({ snippets }) => snippets))
    expect(page).toContain(html`${text}`.markup)
})

it("explains how to trust the VM's own CA, but not with a public certificate", () => {
  expect(pageOf()).toContain('<code>AB:CD</code>')
  expect(pageOf({ tls: { mode: 'acme', isPublic: true, caFingerprint: 'AB:CD' } })).not.toMatch(
    /Trust the certificate|ca\.crt/,
  )
})

it("does not mention the VM's own CA while a supplied pair is in use", () => {
  const page = pageOf({ tls: { mode: 'supplied', isPublic: false, caFingerprint: 'AB:CD' } })
  expect(page).toContain('/path/to/root.crt')
  expect(page).not.toMatch(/ca\.crt|AB:CD/)
})

it('shows an IPv6 address in brackets', () => {
  expect(pageOf({ endpoints: ['2001:db8::7'] })).toContain('https://[2001:db8::7]/v1')
})

it('is not an input of nginx, whose configuration contains its policy', () => {
  const { restartInputs, reloadInputs } = services.nginx
  expect([...restartInputs, ...reloadInputs]).not.toContain(paths.landingPage)
  expect(edgeConfiguration(siteWith()).text).toContain(landingPagePolicy)
})
