/** What a request's fields may be, as data: nginx's filter obeys it, the documentation shows it. Imports nothing. */

/** What one value may be. Where it is none of these, the request is refused. */
export type Rule =
  | { is: 'boolean' }
  | { is: 'integer' | 'number'; min: number; max: number }
  /** `max` in characters. */
  | { is: 'text'; max: number; oneOf?: string[] }
  | { is: 'list'; max: number; min?: number; of: Rule }
  | { is: 'object'; fields: Fields }
  /** An object whose `by` says which fields it has; `otherwise` where it says nothing. */
  | { is: 'variant'; by: string; otherwise?: string; variants: Record<string, Fields | Refusal> }
  /** Keys of the client's choosing. */
  | { is: 'map'; max: number; of: Rule }
  /** By its kind: the first of these that takes a string, a number, a list, an object. */
  | { is: 'either'; of: Rule[] }
  /** Whatever it is, as it came. */
  | { is: 'anything' }
  /** A JSON Schema, of which llama-server makes a grammar. */
  | { is: 'schema' }
  | { is: 'null' }

/** What is refused, or left out, by name. */
export type Refusal = { refused: string } | { leftOut: true } | { needs: 'images'; fields: Fields }

export type Field = Rule & { isRequired?: true }
/** What is not named is left out. So is what is null where a rule does not take null. */
export type Fields = Record<string, Field>

export const boolean: Rule = { is: 'boolean' }
export const anything: Rule = { is: 'anything' }
export const schema: Rule = { is: 'schema' }
export const nothing: Rule = { is: 'null' }
export const integer = (min: number, max: number): Rule => ({ is: 'integer', min: min, max: max })
export const number = (min: number, max: number): Rule => ({ is: 'number', min: min, max: max })
/** Prompt text: what bounds it is the request's size. */
export const longText: Rule = { is: 'text', max: 2 ** 26 }
export const text = (max: number): Rule => ({ is: 'text', max: max })
export const oneOf = (values: string[]): Rule => ({ is: 'text', max: 64, oneOf: values })
export const list = (of: Rule, max: number): Rule => ({ is: 'list', of: of, max: max })
export const map = (of: Rule, max: number): Rule => ({ is: 'map', of: of, max: max })
export const fields = (named: Fields): Rule => ({ is: 'object', fields: named })
export const variant = (
  by: string,
  variants: Record<string, Fields | Refusal>,
  otherwise?: string,
): Rule => ({ is: 'variant', by: by, variants: variants, otherwise: otherwise as string })
export const either = (of: Rule[]): Rule => ({ is: 'either', of: of })
export const required = (rule: Rule): Field => Object.assign({}, rule, { isRequired: true as const })
export const leftOut: Refusal = { leftOut: true }
export const refused = (why: string): Refusal => ({ refused: why })
export const withImages = (named: Fields): Refusal => ({ needs: 'images', fields: named })
