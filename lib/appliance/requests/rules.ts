/** Rules for a request's fields, as data: nginx's filter enforces them, lib/REQUESTS.md lists them. */

/** What one value may be; a request with any other value is refused. */
export type Rule =
  | { is: 'boolean' }
  | { is: 'integer' | 'number'; min: number; max: number }
  /** A fixed value: any other would be at other users' expense, or is not supported by llama-server. */
  | { is: 'only'; value: number | boolean }
  /** `max` in characters. */
  | { is: 'text'; max: number; oneOf?: string[] }
  | { is: 'list'; max: number; of: Rule }
  | { is: 'object'; fields: Fields }
  /** An object whose field `by` names its variant; without that, `otherwise` does. Names may contain `*`. */
  | { is: 'variant'; by: string; otherwise?: string; variants: Record<string, Variant> }
  /** An object with keys of the client's choosing. */
  | { is: 'map'; max: number; keys?: 'digits'; of: Rule }
  /** The first of these that applies to values of this type. */
  | { is: 'either'; of: Rule[] }
  /** Any value, passed on unchanged. */
  | { is: 'anything' }
  | { is: 'null' }
  /** A JSON Schema, which llama-server compiles to a grammar. */
  | { is: 'schema' }
  /** A tool call's arguments: JSON in a string, which templates parse. */
  | { is: 'arguments' }
  /** A token ID. */
  | { is: 'token' }
  /** A single prompt: a text, or its tokens. */
  | { is: 'prompt' }
  /** An image, as a `data:` URL: llama-server has no network access to fetch it. */
  | { is: 'image' }
  /** A field that cannot be dropped without changing the meaning of the answer. If empty, it is dropped. */
  | { is: 'refused'; why: string }

export type Variant =
  | { fields: Fields; needs?: 'images' }
  | { refused: string }
  /** Dropped: always, or unless it has the named field. */
  | { leftOut: true }
  | { leftOutWithout: string; fields: Fields }

export type Field = Rule & { isRequired?: true }
/** Fields that are not named are dropped, and so are nulls, unless the rule accepts null. */
export type Fields = Record<string, Field>

export const boolean: Rule = { is: 'boolean' }
export const anything: Rule = { is: 'anything' }
export const schema: Rule = { is: 'schema' }
export const nothing: Rule = { is: 'null' }
export const image: Rule = { is: 'image' }
export const callArguments: Rule = { is: 'arguments' }
export const token: Rule = { is: 'token' }
export const prompt: Rule = { is: 'prompt' }
export const integer = (min: number, max: number): Rule => ({ is: 'integer', min: min, max: max })
export const number = (min: number, max: number): Rule => ({ is: 'number', min: min, max: max })
export const only = (value: number | boolean): Rule => ({ is: 'only', value: value })
/** Characters, for a text that only the request's size limits. */
export const unbounded = 2 ** 26
export const longText: Rule = { is: 'text', max: unbounded }
export const text = (max: number): Rule => ({ is: 'text', max: max })
/** The name of a variant: a role, or the type of a part. */
export const typeName: Rule = text(64)
export const oneOf = (values: string[]): Rule => ({ is: 'text', max: 64, oneOf: values })
export const list = (of: Rule, max: number): Rule => ({ is: 'list', of: of, max: max })
export const map = (of: Rule, max: number): Rule => ({ is: 'map', of: of, max: max })
export const mapByNumber = (of: Rule, max: number): Rule => ({ is: 'map', of: of, max: max, keys: 'digits' })
export const fields = (named: Fields): Rule => ({ is: 'object', fields: named })
export const either = (of: Rule[]): Rule => ({ is: 'either', of: of })
export const unsupportedField = (why: string): Rule => ({ is: 'refused', why: why })
export const required = (rule: Rule): Field => Object.assign({}, rule, { isRequired: true as const })

export const variant = (by: string, variants: Record<string, Variant>): Rule => ({
  is: 'variant',
  by: by,
  variants: variants,
})
export const variantWithDefault = (
  otherwise: string,
  by: string,
  variants: Record<string, Variant>,
): Rule => ({
  is: 'variant',
  by: by,
  variants: variants,
  otherwise: otherwise,
})
export const accepted = (named: Fields): Variant => ({ fields: named })
export const acceptedWithImages = (named: Fields): Variant => ({ fields: named, needs: 'images' })
export const unsupported = (why: string): Variant => ({ refused: why })
export const dropped: Variant = { leftOut: true }
export const droppedWithout = (field: string, named: Fields): Variant => ({
  leftOutWithout: field,
  fields: named,
})
