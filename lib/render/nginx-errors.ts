/** The errors that nginx itself answers, in nginx's words: the text that the client's kind of API expects. */
import type { doorErrors } from '../appliance/api.ts'

type Errors = typeof doorErrors

/** A text in nginx's single quotes, in which a backslash escapes the next character. */
const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** A variable for an error. */
export const errorMap = (
  name: string,
  { openAi, anthropic }: Errors[keyof Errors],
) => `map $request_uri $copilot_${name} {
    default ${quoted(JSON.stringify(openAi))};
    "~^/v1/messages" ${quoted(JSON.stringify(anthropic))};
}
`

/** The location that an `error_page` names. */
export const errorLocation = (name: keyof Errors, status: number) => `
    location @${name} {
        default_type application/json;
        return ${status} $copilot_${name};
    }`
