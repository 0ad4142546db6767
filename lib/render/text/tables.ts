/** The context variables as a table, as .env.example, and as help. */

import { type Variable, variableList } from '../../appliance/context/variables.ts'
import { wrapped } from '../../appliance/text.ts'

const alsoAccepted = ({ alias }: Variable) => (alias === undefined ? '' : `\`${alias}\``)

/** Escapes a text for a cell of a Markdown table, which a vertical bar would end. */
const cell = (text: string) => text.replaceAll('|', '\\|')

const tableRow = (variable: Variable) =>
  [
    `\`${variable.name}\``,
    alsoAccepted(variable),
    ...[variable.byDefault, variable.takes, variable.help].map(cell),
  ].join(' | ')

/** The table in lifecycle/VARIABLES.md. */
export const variableTable = () =>
  [
    '| variable | alias | default | takes | meaning |',
    '|---|---|---|---|---|',
    ...variableList.map(variable => `| ${tableRow(variable)} |`),
    '',
  ].join('\n')

/** `.env.example`: each variable commented out, as OpenNebula's context passes it. */
export const envExample = () =>
  [
    '# Context of the development VM, in the form in which OpenNebula passes it. Copy this file to .env and edit it.',
    '# Generated from lib/appliance/context/variables.ts by `make generate`.',
    ...variableList.flatMap(({ name, help, takes, byDefault, example }) => [
      '',
      `# ${help}`,
      `# Takes ${takes}.`,
      `# Default: ${byDefault}.`,
      `#${name}=${example}`,
    ]),
    '',
  ].join('\n')

/** The variables for the help, in 80 columns. */
export const variablesHelp = () =>
  variableList
    .map(({ name, alias, help, takes, byDefault }) => {
      const lines = [help, `Takes ${takes}.`, `Default: ${byDefault}.`].flatMap(text => wrapped(text, 74))
      return [
        `  ${name}`,
        ...(alias === undefined ? [] : [`  or ${alias}`]),
        ...lines.map(line => `      ${line}`),
      ].join('\n')
    })
    .join('\n\n')
