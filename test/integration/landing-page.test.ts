/** The landing page as a developer sees it: served by the real edge proxy to a real browser that trusts the CA. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { http } from '../../lib/system/http.ts'
import { buildExecutable } from '../../packer/build/executable.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Stack, startStack } from './support/stack.ts'

const key = 'landing-page-canary-key'
const screenshots = resolve(import.meta.dirname, '..', '..', 'dist', 'screenshots')

let stack: Stack
let home: string
let browser: BrowserContext
let page: Page
/** The browser's errors and warnings, and its requests, during a test. */
let complaints: string[]
let asked: string[]

/** Creates a home folder whose certificate store trusts the CA, with the commands that the page shows for Chromium. */
function homeThatTrusts(ca: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-browser-'))
  mkdirSync(join(folder, '.pki/nssdb'), { recursive: true })
  const store = `sql:${folder}/.pki/nssdb`
  execFileSync('certutil', ['-d', store, '-N', '--empty-password'])
  execFileSync('certutil', ['-d', store, '-A', '-t', 'C,,', '-n', 'SLM-Copilot', '-i', ca])
  return folder
}

beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true })
  stack = await startStack({ ONEAPP_COPILOT_PASSWORD: key, ONEAPP_COPILOT_CONTEXT_SIZE: '4096' })
  home = homeThatTrusts(join(stack.root, paths.caCertificate))
  browser = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim(),
    env: { PATH: process.env.PATH ?? '', HOME: home },
    permissions: ['clipboard-read', 'clipboard-write'],
    viewport: { width: 1000, height: 800 },
  })
  await browser.addInitScript(
    'addEventListener("securitypolicyviolation", event => console.error("violates", event.violatedDirective))',
  )
  browser.on('request', request => void asked.push(request.url()))
  browser.on('console', message => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  browser.on('weberror', error => void complaints.push(error.error().message))
})
afterAll(async () => {
  await browser?.close()
  await stack?.close()
  if (home) rmSync(home, { recursive: true, force: true })
})

beforeEach(async () => {
  complaints = []
  asked = []
  page = browser.pages()[0] ?? (await browser.newPage())
  await page.setViewportSize({ width: 1000, height: 800 })
  await page.goto(stack.url)
})

/** Makes llama-server generate until its client disconnects. */
const endless = { ignore_eos: true, max_tokens: 4000 }

const statusIs = (words: string) => page.locator('#status').getByText(words, { exact: true }).waitFor()
const outcomeIs = (words: string) => page.locator('#outcome').getByText(words).waitFor()

/** Fills in the form and submits it. */
async function tryKey(text: string) {
  await page.getByLabel('Key').fill(text)
  await page.getByRole('button', { name: 'Ask' }).click()
}

describe('the page', () => {
  it('needs no key, and has headers that control scripts, caching and referrers', async () => {
    const { status, headers } = await http({ url: `${stack.url}/`, ca: stack.ca, timeout: 10 })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^;]*'; /)
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  it('rejects POST', async () => {
    const { status } = await http({ url: `${stack.url}/`, ca: stack.ca, timeout: 10, method: 'POST' })
    expect(status).toBe(405)
  })

  it('changes with its file, without a reload of nginx', async () => {
    const file = join(stack.root, paths.landingPage)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, 'another')
    const ask = () => http({ url: `${stack.url}/`, ca: stack.ca, timeout: 10 })
    expect((await ask()).body).toBe('another')
    writeFileSync(file, text)
    expect((await ask()).body).toBe(text)
  })

  it('is the same as the one that the executable writes', async () => {
    const environment = join(home, 'context.env')
    writeFileSync(environment, 'ONEAPP_COPILOT_CONTEXT_SIZE=4096\nONEAPP_COPILOT_PARALLEL=2\n')
    const file = join(stack.root, paths.landingPage)
    const text = readFileSync(file, 'utf8')
    rmSync(file)
    execFileSync(await buildExecutable(), ['configure', '--root', stack.root, '--context-file', environment])
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('loads nothing from elsewhere, does not violate its policy, and says that all is ready', async () => {
    await statusIs('Ready')
    expect(new Set(asked.map(url => new URL(url).origin))).toEqual(new Set([stack.url]))
    expect(asked.map(url => new URL(url).pathname).filter(path => !['/', '/health'].includes(path))).toEqual(
      [],
    )
    expect(complaints).toEqual([])
  })

  it('shows the address in the URL, and the fingerprint of the CA', async () => {
    await page.getByText(`${stack.url}/v1`, { exact: true }).waitFor()
    const printed = execFileSync('openssl', [
      'x509',
      '-in',
      join(stack.root, paths.caCertificate),
      '-noout',
      '-fingerprint',
      '-sha256',
    ]).toString()
    await page.getByText(printed.split('=')[1]?.trim() ?? '', { exact: true }).waitFor()
  })

  it('offers the CA as a download', async () => {
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download ca.crt' }).click()
    const file = await download
    expect(file.suggestedFilename()).toBe('ca.crt')
    expect(readFileSync(await file.path(), 'utf8')).toBe(stack.ca)
  })

  it('has tabs that the keyboard can switch', async () => {
    const systems = page.getByRole('tablist', { name: 'Systems' })
    const chosen = systems.locator('[aria-selected=true]')
    await systems.getByRole('tab', { name: 'Windows' }).click()
    await page.getByRole('tabpanel', { name: 'Windows' }).waitFor()
    expect(await page.getByRole('tabpanel', { name: 'Debian' }).isVisible()).toBe(false)
    const moves = {
      ArrowLeft: 'macOS',
      Home: 'Debian, Ubuntu',
      End: 'Node, Python',
      ArrowRight: 'Debian, Ubuntu',
    }
    for (const [move, title] of Object.entries(moves)) {
      await page.keyboard.press(move)
      expect(await chosen.textContent()).toBe(title)
      expect(await page.evaluate('document.activeElement.textContent')).toBe(title)
    }
    const panel = page.getByRole('tabpanel', { name: 'Debian' })
    await page.keyboard.press('Tab')
    expect(await panel.locator(':focus').count()).toBe(1)
  })

  it('copies what it shows', async () => {
    const panel = page.getByRole('tabpanel', { name: 'Cline' })
    await page.getByRole('tab', { name: 'Cline' }).click()
    await panel.getByRole('button', { name: 'Copy' }).first().click()
    await panel.getByRole('button', { name: 'Copied' }).waitFor()
    const copied = await page.evaluate('navigator.clipboard.readText()')
    expect(copied).toBe(await panel.locator('code').first().textContent())
    expect(copied).toContain(`${stack.url}/v1`)
    expect(complaints).toEqual([])
  })

  it('says that the model is loading, why nothing is available, then ready; and that the appliance is unreachable', async () => {
    await stack.stopLlama()
    await page.reload()
    // The page asks every three seconds, and every ten once ready: here ten times as often.
    await page.evaluate('{ const later = setTimeout; setTimeout = (task, delay) => later(task, delay / 10) }')
    await statusIs('The model is loading')
    await tryKey(key)
    await outcomeIs('The model is loading. Try again shortly. The status above shows when it is ready.')
    // In this form nginx answers where the appliance has written a reason (errors.test.ts).
    const reason = 'llama-server ran out of memory at 10:00:08 UTC; <b>it will be restarted.</b>'
    await page.route('**/health', route =>
      route.fulfill({ status: 503, json: { status: 'unavailable', reason } }),
    )
    await statusIs(reason)
    await page.unroute('**/health')
    await statusIs('The model is loading')
    await stack.startLlama()
    await statusIs('Ready')
    await browser.setOffline(true)
    await statusIs('Unreachable')
    await tryKey(key)
    await outcomeIs('No connection to the appliance.')
    await browser.setOffline(false)
    await statusIs('Ready')
  })
})

describe('the try-it box', () => {
  it('shows an answer while it is generated, and stores the key nowhere', async () => {
    await page.evaluate(`
      shown = []
      new MutationObserver(() => shown.push(answer.textContent)).observe(answer, { childList: true })
    `)
    await tryKey(key)
    await outcomeIs('tokens')
    expect(await page.locator('#answer').textContent()).toBe(sentence)
    expect(new Set((await page.evaluate('shown')) as string[]).size).toBeGreaterThan(5)

    expect(page.url()).toBe(`${stack.url}/`)
    expect(await page.content()).not.toContain(key)
    expect(asked.join()).not.toContain(key)
    const kept =
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, history.state])'
    expect(await page.evaluate(kept)).toBe('[{},{},"",null]')
    expect(await page.evaluate('Promise.all([indexedDB.databases(), caches.keys()])')).toEqual([[], []])
    expect(complaints).toEqual([])
    await page.reload()
    expect(await page.getByLabel('Key').inputValue()).toBe('')
  })

  it('stops on request, and can ask again', async () => {
    // The request is modified so that its answer has no end.
    await page.route('**/v1/chat/completions', route =>
      route.continue({ postData: { ...route.request().postDataJSON(), ...endless } }),
    )
    await tryKey(key)
    await page.locator('#answer').getByText(sentence).waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await outcomeIs('Stopped.')
    await page.unrouteAll()
    await page.getByRole('button', { name: 'Ask' }).click()
    await outcomeIs('tokens')
    expect(await page.locator('#answer').textContent()).toBe(sentence)
  })

  it.each(['another-key-12345', 'schlüssel-schlüssel', ''])('says that the key %j is wrong', async wrong => {
    await tryKey(wrong)
    if (wrong === '') expect(await page.locator('#key:invalid').count()).toBe(1)
    else
      await outcomeIs(
        /^[!-~]+$/.test(wrong) ? 'Wrong or missing API key. Ask the administrator' : 'Invalid key',
      )
    expect(await page.locator('#answer').textContent()).toBe('')
  })

  it('says that all slots are busy', async () => {
    const long = { messages: [{ role: 'user', content: 'Hi' }], stream: true, ...endless }
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const options = { method: 'POST', headers, ca: stack.ca, agent: false as const }
    /** Starts a generation that lasts until its client disconnects; resolves with the first byte. */
    const begin = () =>
      new Promise<() => void>((resolve, reject) => {
        const sent = request(`${stack.url}/v1/chat/completions`, options, response => {
          response.once('data', () => resolve(() => sent.destroy()))
          response.on('error', () => {})
        })
        sent.on('error', reject).end(JSON.stringify(long))
      })
    const others = [await begin(), await begin()]
    await tryKey(key)
    await outcomeIs('All slots are busy. Try again shortly. Each answer occupies a slot until it ends.')
    for (const disconnect of others) disconnect()
  })
})

describe.each(['light', 'dark'] as const)('in %s colours', colorScheme => {
  it.each([
    ['wide', 1000],
    ['phone', 360],
  ] as const)('fits on a %s screen', async (name, width) => {
    await page.setViewportSize({ width, height: 800 })
    await page.emulateMedia({ colorScheme })
    await tryKey(key)
    await outcomeIs('tokens')
    await statusIs('Ready')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
    const ground = String(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
    const brightness = Number(ground.match(/\d+/)?.[0])
    if (colorScheme === 'dark') expect(brightness).toBeLessThan(60)
    else expect(brightness).toBeGreaterThan(200)
    await page.screenshot({
      path: join(screenshots, `landing-page-${name}-${colorScheme}.png`),
      fullPage: true,
    })
  })
})

it('has not left the key anywhere in the browser’s profile', async () => {
  await browser.close()
  const search = () => execFileSync('grep', ['-rlaF', key, join(home, 'profile')], { encoding: 'utf8' })
  expect(search).toThrow()
})
