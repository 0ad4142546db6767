/** The sections of the landing page, but for the certificate's. */
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import type { CompanionModel } from '../../appliance/models/companions.ts'
import type { CacheSharing } from '../../appliance/nginx/cache-sharing.ts'
import type { CompanionKind } from '../../appliance/requests/services.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { clientConfigurations } from '../clients/clients.ts'
import type { ClientValues } from '../clients/configuration.ts'
import { tabs } from './elements.ts'
import { html } from './html.ts'

export const fleet = (copilots: Copilot[]) => html`
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

export const about = (
  origin: string,
  {
    capacity: { model, contextSize, slots },
    companions,
  }: { capacity: Capacity; companions: CompanionModel[] },
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
    'Everybody uses the same key, and with it the same cache: from how soon an answer begins, and from its count of cached tokens, others can tell whether a text that they already have was sent before. Ask the administrator for a key of your own.',
  separate:
    'Each key has a cache of its own: what you send is never reused for another key. Others can notice only that the machine is busy.',
  shared:
    'All keys share one cache, as the administrator has chosen: from how soon an answer begins, others can tell whether a text that they already have was sent before. They cannot read what you sent.',
}

export const privacy = (cacheSharing: CacheSharing, isRouter: boolean) => html`
  <section aria-labelledby="privacy">
    <h2 id="privacy">What others can see</h2>
    <p>
      The start of a conversation stays in ${isRouter ? 'the memory of the machine that answers it' : 'this machine’s memory'}, so that it need not be computed again.
      ${sharing[cacheSharing]}
    </p>
  </section>`

export const connect = (values: ClientValues) => html`
  <section aria-labelledby="connect">
    <h2 id="connect">Connect your editor</h2>
    <p>
      Replace <code>${values.key}</code> with your key, which the administrator can give you${
        values.caFile === undefined
          ? ''
          : html`, and <code>${values.caFile}</code> with the path of the certificate`
      }.
      On Windows, use <code>setx NAME value</code> instead of <code>export NAME=value</code>, and restart the program.
    </p>${tabs('Clients', clientConfigurations(values))}
  </section>`

export const tryIt = html`
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
