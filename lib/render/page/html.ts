/** HTML templates whose values cannot become markup. */

/** Markup that is inserted as it is; every other value is escaped. */
export type Html = { readonly markup: string }

type HtmlValue = string | number | Html | readonly Html[]

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const markupOf = (value: HtmlValue): string => {
  if (typeof value === 'object') return 'markup' in value ? value.markup : value.map(markupOf).join('')
  return String(value).replace(/[&<>"']/g, character => entities[character] ?? '')
}

/** A template that escapes its values, for use between tags and in quoted attributes. */
export const html = (strings: TemplateStringsArray, ...values: HtmlValue[]): Html => ({
  markup: strings.map((string, index) => string + markupOf(values[index] ?? '')).join(''),
})
