/** Elements that several sections of the landing page have: texts to copy, and tabs. */
import type { ClientConfiguration } from '../clients/configuration.ts'
import { html } from './html.ts'

export const copyable = (caption: string, text: string) => html`
        <figure class="copyable">
          <figcaption>${caption} <button type="button" hidden>Copy</button></figcaption>
          <pre tabindex="0"><code>${text}</code></pre>
        </figure>`

/** Tabs. Without JavaScript there are no buttons, and all panels are shown. */
export const tabs = (label: string, all: ClientConfiguration[]) => html`
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
