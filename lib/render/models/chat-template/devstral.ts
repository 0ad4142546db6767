/** Devstral's chat template: renders any conversation that clients send in the format of the model's training. */
import { orderedMacro, textMacro, unknownRole } from './shared.ts'

const thinkingBlock = `
            {%- elif block.type == 'thinking' and message.role in ['system', 'developer', 'assistant'] -%}
                {{- '[THINK]' + block.thinking + '[/THINK]' -}}`

/**
 * In the subset of Jinja that llama.cpp supports. The format is Mistral's version 13: system messages in
 * place, tools before the first message that is not one, tool results after their calls and with neither ids
 * nor names, an answer after `[/INST]` or a result. Mistral's own template rejects what real clients send (a
 * system message after the user's, two user messages in a row); this one renders it.
 *
 * By this text llama-server chooses its parser for Devstral's tool calls: it must contain `[SYSTEM_PROMPT]`,
 * `[TOOL_CALLS]` and `[ARGS]`, but not the marker for a call's id (common/chat.cpp).
 */
export const devstral = String.raw`${textMacro(thinkingBlock)}

{%- macro call(function) -%}
    {%- set arguments = function.arguments -%}
    {%- if arguments is not string -%}
        {%- set arguments = arguments | tojson -%}
    {%- endif -%}
    {{- '[TOOL_CALLS]' + function.name + '[ARGS]' + (arguments or '{}') -}}
{%- endmacro -%}

{%- macro result(message) -%}
    {{- '[TOOL_RESULTS]' + text(message) + '[/TOOL_RESULTS]' -}}
{%- endmacro -%}

${orderedMacro}

{%- macro available(tools) -%}
    {%- if tools -%}
        {{- '[AVAILABLE_TOOLS]' + (tools | tojson) + '[/AVAILABLE_TOOLS]' -}}
    {%- endif -%}
{%- endmacro -%}

{%- macro question(asked) -%}
    {{- '' if asked is none else '[INST]' + asked + '[/INST]' -}}
{%- endmacro -%}

{{- bos_token -}}
{#- What has come since the last answer: "asked" is the user's question, "told" what the system said after it. -#}
{%- set turn = namespace(tools=available(tools), calls=[], results=[], before='', asked=none, told='') -%}
{#- The empty message at the end closes the last turn. -#}
{%- for message in messages + [{}] -%}
    {%- set role = 'system' if message.role == 'developer' else message.role -%}

    {%- if role == 'system' -%}
        {%- set said = '[SYSTEM_PROMPT]' + text(message) + '[/SYSTEM_PROMPT]' -%}
        {%- if turn.asked is none -%}
            {%- set turn.before = turn.before + said -%}
        {%- else -%}
            {%- set turn.told = turn.told + said -%}
        {%- endif -%}

    {%- elif role == 'user' -%}
        {%- if turn.told -%}
            {%- set turn.before = turn.before + turn.tools + question(turn.asked) + turn.told -%}
            {%- set turn.tools = '' -%}
            {%- set turn.asked = none -%}
            {%- set turn.told = '' -%}
        {%- endif -%}
        {%- set turn.asked = text(message) if turn.asked is none else turn.asked + '\n\n' + text(message) -%}

    {%- elif role == 'tool' -%}
        {%- set turn.results = turn.results + [message] -%}

    {%- elif role == 'assistant' or role is undefined -%}
        {#- An answer follows a question or a result: what the system said after it goes before it. -#}
        {%- set given = ordered(turn.calls, turn.results) -%}
        {%- if turn.asked is not none and turn.calls -%}
            {{- given + turn.before + turn.told + question(turn.asked) -}}
        {%- else -%}
            {{- turn.before + turn.tools + turn.told + given + question(turn.asked) -}}
        {%- endif -%}
        {%- if turn.before or turn.asked is not none or turn.results -%}
            {%- set turn.calls = [] -%}
        {%- endif -%}
        {%- set turn.tools = '' -%}
        {%- set turn.results = [] -%}
        {%- set turn.before = '' -%}
        {%- set turn.asked = none -%}
        {%- set turn.told = '' -%}

        {%- if role == 'assistant' -%}
            {{- text(message) -}}
            {%- for tool_call in message.tool_calls or [] -%}
                {{- call(tool_call.function) -}}
                {%- set turn.calls = turn.calls + [tool_call] -%}
            {%- endfor -%}
            {#- An answer that has begun is left open, for the model to carry on. -#}
            {%- if message.tool_calls or loop.index < messages | length or not add_generation_prompt -%}
                {{- eos_token -}}
            {%- endif -%}
        {%- endif -%}

    {%- else -%}
        ${unknownRole('role')}
    {%- endif -%}
{%- endfor -%}
`
