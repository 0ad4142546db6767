/** YAML as Ruby's parser, which the marketplace uses, reads it: version 1.1, where YES is not a text but true. */
import { Document, isScalar, parse, visit } from 'yaml'
import { instructionOf, placeholder, placeholdersIn } from './placeholders.ts'

/** A comment with the instruction before each entry whose value begins with a placeholder. */
function explainPlaceholders(document: Document): void {
  visit(document, {
    Pair: (_, { key, value }) => {
      if (!isScalar(key) || !isScalar(value)) return
      const text = String(value.value)
      const name = placeholdersIn(text).find(found => text.startsWith(placeholder(found)))
      if (name !== undefined) key.commentBefore = ` ${instructionOf(name)}`
    },
  })
}

/** Strings are quoted where the parser would read them as anything else. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { version: '1.1' })
  explainPlaceholders(document)
  const text = document.toString({
    lineWidth: 0,
    indentSeq: false,
    directives: true,
    singleQuote: true,
    blockQuote: 'literal',
  })
  return text.replace(/^%YAML 1\.1\n/, '')
}

export const parseYaml = (text: string): unknown => parse(text, { version: '1.1' })
