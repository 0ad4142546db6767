/** What the landing page does: status, tabs, copy buttons, the try-it box. Whatever is typed stays in its field. */

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
 * Without credentials: with them, a browser would meet a 401 with a password dialog of its own, and keep what it got.
 * @param {string} path
 * @param {RequestInit} request
 */
const ask = (path, request) =>
  fetch(path, { ...request, credentials: 'omit', cache: 'no-store', redirect: 'error' })

// Status

const status = find('#status', HTMLElement)
const statusWords = {
  ready: 'Ready',
  loading: 'The model is loading',
  unreachable: 'Unreachable',
}

async function currentState() {
  try {
    const { status } = await ask('/health', { signal: AbortSignal.timeout(10_000) })
    if (status === 200) return 'ready'
    return status === 503 ? 'loading' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}

/** Asks for the state again and again, as long as somebody looks. */
async function watchStatus() {
  if (document.hidden) {
    document.addEventListener('visibilitychange', watchStatus, { once: true })
    return
  }
  const state = await currentState()
  // Only what is new is written, so that a screen reader does not repeat itself.
  if (status.dataset.state !== state) {
    status.dataset.state = state
    status.textContent = statusWords[state]
  }
  setTimeout(watchStatus, state === 'ready' ? 10_000 : 3_000)
}

// Addresses

/** The address by which this page was reached is one that works from here, and that the certificate is for. */
function useOwnAddress() {
  const written = document.documentElement.dataset.origin ?? location.origin
  for (const code of document.querySelectorAll('code'))
    code.textContent = code.textContent.replaceAll(written, location.origin)
}

// Tabs, as the ARIA Authoring Practices have them

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
  401: 'Whoever runs this appliance has the key, or one for you.',
  429: 'Each answer takes a slot until it ends.',
  503: 'The state above says when it is ready.',
}

/**
 * The server's own words, and what to do.
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
 * Asks, shows the answer as it comes, and resolves with what to say at its end.
 * @param {string} key
 * @param {AbortSignal} signal
 */
async function streamAnswer(key, signal) {
  // No other text can be a key, and a header cannot hold every text.
  if (!/^[!-~]+$/.test(key)) throw new Error('A key is of printable ASCII characters, without a space.')
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
  throw new Error('The answer broke off.')
}

/** @param {{ predicted_n: number, predicted_per_second: number } | undefined} timings llama-server's own figures */
const speedOf = timings =>
  timings
    ? `${timings.predicted_n} tokens, ${timings.predicted_per_second.toFixed(1)} a second.`
    : 'The answer is whole.'

/**
 * @param {string} words
 * @param {'waiting' | 'done' | 'failed'} state
 */
function tell(words, state) {
  outcome.textContent = words
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
  tell('Asked. On CPUs the first word takes a while.', 'waiting')
  try {
    tell(await streamAnswer(keyField.value.trim(), signal), 'done')
  } catch (error) {
    if (signal.aborted) tell('Stopped.', 'done')
    else tell(error instanceof Error ? error.message : String(error), 'failed')
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
