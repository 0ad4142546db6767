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

/** The macro `ordered(calls, results)`, which renders each result by the template's own `result(message)`. */
export const orderedMacro = `{#- Results in the order of their calls: the prompt has no ids by which the model could match them. -#}
{%- macro ordered(calls, results) -%}
    {%- set given = namespace(indexes=[]) -%}
    {%- for call in calls -%}
        {%- for message in results -%}
            {%- if call.id and call.id == message.tool_call_id and loop.index not in given.indexes -%}
                {{- result(message) -}}
                {%- set given.indexes = given.indexes + [loop.index] -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for message in results -%}
        {{- '' if loop.index in given.indexes else result(message) -}}
    {%- endfor -%}
{%- endmacro -%}`

/** The refusal of a message whose role, in the variable of this name, is unknown. */
export const unknownRole = (variable: string) =>
  `{{- raise_exception('Unknown role "' + ${variable} + '"; takes system, developer, user, assistant or tool.') -}}`
