/** The landing page's script: status, tabs, copy buttons, the try-it form. What is typed is stored nowhere. */

/**
 * The element of this kind that the page has.
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} kind
 * @param {ParentNode} within
 * @returns {E}
 */
function find(selector, kind, within = document) {
  const found = within.querySelector(selector)
  if (found instanceof kind) return found
  throw new Error(`The page has no ${selector}.`)
}

/**
 * Without credentials: with them, a browser would answer a 401 with its own password dialog, and remember what is entered.
 * @param {string} path
 * @param {RequestInit} request
 */
const ask = (path, request) =>
  fetch(path, { ...request, credentials: 'omit', cache: 'no-store', redirect: 'error' })

// Status

const status = find('#status', HTMLElement)
const unreachable = { state: 'unreachable', text: 'Unreachable' }

/** A 503 has the reason, unless the model is loading for the first time. */
async function currentStatus() {
  try {
    const response = await ask('/health', { signal: AbortSignal.timeout(10_000) })
    if (response.status === 200) return { state: 'ready', text: 'Ready' }
    if (response.status !== 503) return unreachable
    const { reason = 'The model is loading' } = await response.json()
    return { state: 'loading', text: String(reason) }
  } catch {
    return unreachable
  }
}

/** Polls the status while the page is visible. */
async function watchStatus() {
  if (document.hidden) {
    document.addEventListener('visibilitychange', watchStatus, { once: true })
    return
  }
  const { state, text } = await currentStatus()
  // Written only when it changes, so that a screen reader does not repeat it.
  if (status.textContent !== text) {
    status.dataset.state = state
    status.textContent = text
  }
  setTimeout(watchStatus, state === 'ready' ? 10_000 : 3_000)
}

// Addresses

/** Shows the address by which this page was reached: it works from here, and the certificate is valid for it. */
function useOwnAddress() {
  const written = document.documentElement.dataset.origin ?? location.origin
  for (const code of document.querySelectorAll('code'))
    code.textContent = code.textContent.replaceAll(written, location.origin)
}

// Tabs, by the ARIA Authoring Practices' pattern (https://www.w3.org/WAI/ARIA/apg/patterns/tabs/)

/**
 * Shows one panel at a time. Its title is then the tab's.
 * @param {Element} tabs
 */
function makeTabs(tabs) {
  const list = find('[role=tablist]', HTMLElement, tabs)
  const buttons = [...list.querySelectorAll('button')]
  for (const title of tabs.querySelectorAll('h3')) title.hidden = true

  /** @param {HTMLButtonElement} chosen */
  const choose = chosen => {
    for (const button of buttons) {
      const isChosen = button === chosen
      button.ariaSelected = String(isChosen)
      button.tabIndex = isChosen ? 0 : -1
      find(`#${button.getAttribute('aria-controls')}`, HTMLElement).hidden = !isChosen
    }
  }

  /** @type {Record<string, (index: number) => number>} */
  const moves = {
    ArrowLeft: index => index - 1,
    ArrowRight: index => (index + 1) % buttons.length,
    Home: () => 0,
    End: () => -1,
  }
  for (const [index, button] of buttons.entries()) {
    button.addEventListener('click', () => choose(button))
    button.addEventListener('keydown', event => {
      const next = moves[event.key] && buttons.at(moves[event.key]?.(index) ?? 0)
      if (next === undefined) return
      event.preventDefault()
      choose(next)
      next.focus()
    })
  }
  if (buttons[0]) choose(buttons[0])
  list.hidden = false
}

// Copying

/** @param {Element} box */
function makeCopyable(box) {
  const code = find('code', HTMLElement, box)
  const button = find('button', HTMLButtonElement, box)
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(code.textContent)
      button.textContent = 'Copied'
    } catch {
      getSelection()?.selectAllChildren(code)
      button.textContent = 'Selected'
    }
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 2_000)
  })
  button.hidden = false
}

// The try-it box

const form = find('form', HTMLFormElement)
const keyField = find('#key', HTMLInputElement)
const question = find('#question', HTMLTextAreaElement)
const send = find('#send', HTMLButtonElement)
const stop = find('#stop', HTMLButtonElement)
const answer = find('#answer', HTMLElement)
const outcome = find('#outcome', HTMLElement)

/** @type {Record<number, string>} */
const advice = {
  401: 'Ask the administrator for a key.',
  429: 'Each answer occupies a slot until it ends.',
  503: 'The status above shows when it is ready.',
}

/**
 * The server's message, and what to do.
 * @param {Response} response
 */
async function problemOf(response) {
  const body = await response.json().catch(() => undefined)
  const message = body?.error?.message ?? `The server answered ${response.status}.`
  return [message, advice[response.status]].filter(Boolean).join(' ')
}

/**
 * The data of a stream's events. A reader, since not every browser can iterate over a stream.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 */
async function* eventsOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data: ')) yield line.slice('data: '.length)
  }
}

/**
 * Sends the question and shows the answer as it arrives; resolves with the text for its end.
 * @param {string} key
 * @param {AbortSignal} signal
 */
async function streamAnswer(key, signal) {
  // Keys have no other characters, and a header cannot hold every character.
  if (!/^[!-~]+$/.test(key))
    throw new Error('Invalid key: a key consists of printable ASCII characters, without spaces.')
  const response = await ask('/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ stream: true, messages: [{ role: 'user', content: question.value }] }),
    signal,
  }).catch(error => {
    throw signal.aborted ? error : new Error('No connection to the appliance.')
  })
  if (!response.ok || response.body === null) throw new Error(await problemOf(response))

  let timings
  for await (const data of eventsOf(response.body)) {
    if (data === '[DONE]') return speedOf(timings)
    const event = JSON.parse(data)
    if (event.error) throw new Error(event.error.message)
    answer.append(event.choices?.[0]?.delta?.content ?? '')
    timings = event.timings ?? timings
  }
  throw new Error('The answer was cut off. Ask again.')
}

/** @param {{ predicted_n: number, predicted_per_second: number } | undefined} timings llama-server's own figures */
const speedOf = timings =>
  timings ? `${timings.predicted_n} tokens, ${timings.predicted_per_second.toFixed(1)} per second.` : 'Done.'

/**
 * @param {string} text
 * @param {'waiting' | 'done' | 'failed'} state
 */
function showOutcome(text, state) {
  outcome.textContent = text
  outcome.dataset.state = state
}

let running = new AbortController()

form.addEventListener('submit', async event => {
  event.preventDefault()
  running = new AbortController()
  const { signal } = running
  send.disabled = true
  stop.disabled = false
  answer.textContent = ''
  answer.ariaBusy = 'true'
  showOutcome('Sent. On CPUs the first word takes a while.', 'waiting')
  try {
    showOutcome(await streamAnswer(keyField.value.trim(), signal), 'done')
  } catch (error) {
    if (signal.aborted) showOutcome('Stopped.', 'done')
    else showOutcome(error instanceof Error ? error.message : String(error), 'failed')
  }
  send.disabled = false
  stop.disabled = true
  answer.ariaBusy = 'false'
})
stop.addEventListener('click', () => running.abort())

useOwnAddress()
for (const tabs of document.querySelectorAll('.tabs')) makeTabs(tabs)
for (const box of document.querySelectorAll('.copyable')) makeCopyable(box)
form.hidden = false
watchStatus()
