/** HTML in which a text cannot become markup. */

/** Markup that may stand as it is. All else that is put between markup is escaped. */
export type Html = { readonly markup: string }

type Part = string | number | Html | readonly Html[]

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const markupOf = (part: Part): string => {
  if (typeof part === 'object') return 'markup' in part ? part.markup : part.map(markupOf).join('')
  return String(part).replace(/[&<>"']/g, character => entities[character] ?? '')
}

/** A template whose values are escaped once, here: right between tags and inside quoted attributes. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html => ({
  markup: strings.map((string, index) => string + markupOf(parts[index] ?? '')).join(''),
})
