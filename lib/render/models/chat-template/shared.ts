/** What the appliance's chat templates have in common. Like them, in the subset of Jinja that llama.cpp supports. */

/** The macro `text(message)`. `branches`: for kinds of blocks that the format knows besides text. */
export const textMacro = (
  branches = '',
) => String.raw`{#- A message's content. Each block of text is on a line of its own, as llama-server joins them. -#}
{%- macro text(message) -%}
    {%- set said = namespace(text=false) -%}
    {%- if message.content is string -%}
        {{- message.content -}}
    {%- elif message.content -%}
        {%- for block in message.content -%}
            {%- if block.type == 'text' -%}
                {{- '\n' + block.text if said.text else block.text -}}
                {%- set said.text = said.text or block.text != '' -%}${branches}
            {%- else -%}
                {{- raise_exception('Only text is supported; got a block of type "' + block.type + '" (' + message.role + ').') -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}`

/**
 * The macro `ordered(calls, results)`, which renders each result by the template's own `result(message)`. Results are
 * searched by a filter: a loop over them for each call would take seconds with a thousand results, which anybody may send.
 */
export const orderedMacro = `{#- Results in the order of their calls: the prompt has no ids by which the model could match them. -#}
{%- macro ordered(calls, results) -%}
    {%- set given = namespace(ids=[]) -%}
    {%- for call in calls -%}
        {%- if call.id and call.id not in given.ids -%}
            {%- set given.ids = given.ids + [call.id] -%}
            {%- for message in results | selectattr('tool_call_id', 'equalto', call.id) -%}
                {{- result(message) -}}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for message in results -%}
        {{- '' if (message.tool_call_id or '') in given.ids else result(message) -}}
    {%- endfor -%}
{%- endmacro -%}`

/** The refusal of a message whose role, in the variable of this name, is unknown. */
export const unknownRole = (variable: string) =>
  `{{- raise_exception('Unknown role "' + ${variable} + '"; takes system, developer, user, assistant or tool.') -}}`
