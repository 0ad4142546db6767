/** The chat template of Qwen3.5 and 3.6: renders any conversation that clients send in their training's format. */
import { orderedMacro, textMacro, unknownRole } from './shared.ts'

/**
 * In the subset of Jinja that llama.cpp supports. The format is ChatML: instructions and tools first, calls as XML,
 * results in a message of the user's, thoughts before each answer. Qwen's own template puts the tools before the
 * instructions, which begin with the tenant's tag: two tenants with the same tools would share a cached prompt. It
 * rejects what real clients send (an instruction after the first, a conversation without a question); this one
 * renders it.
 *
 * Thoughts are kept in all answers, not only since the last question: otherwise each question would change the
 * prompt from the previous one on, and a hybrid model would compute all of that again.
 *
 * By this text llama-server chooses its parser for calls and thoughts: it must contain `<tool_call>`, `<function=`,
 * `<parameter=` and `<think>` (common/chat.cpp). That parser needs each prompt to end as llama-server itself would
 * continue an answer that has begun, so here it does.
 */
export const qwen = String.raw`${textMacro()}

{%- macro message_of(role, said) -%}
    {{- '<|im_start|>' + role + '\n' + said + '<|im_end|>\n' -}}
{%- endmacro -%}

{%- macro call(function) -%}
    {{- '<tool_call>\n<function=' + function.name + '>\n' -}}
    {%- if function.arguments is mapping -%}
        {%- for name, value in function.arguments | items -%}
            {{- '<parameter=' + name + '>\n' + (value if value is string else value | tojson) + '\n</parameter>\n' -}}
        {%- endfor -%}
    {%- endif -%}
    {{- '</function>\n</tool_call>' -}}
{%- endmacro -%}

{%- macro result(message) -%}
    {{- '\n<tool_response>\n' + (text(message) | trim) + '\n</tool_response>' -}}
{%- endmacro -%}

${orderedMacro}

{%- macro answers(calls, results) -%}
    {{- '<|im_start|>user' + ordered(calls, results) + '<|im_end|>\n' if results else '' -}}
{%- endmacro -%}

{%- macro available(tools) -%}
    {{- '# Tools\n\nYou have access to the following functions:\n\n<tools>' -}}
    {%- for tool in tools -%}
        {{- '\n' + (tool | tojson) -}}
    {%- endfor -%}
    {{- '\n</tools>\n\nTo call a function, answer in exactly this format, and write nothing after it:\n\n' -}}
    {{- '<tool_call>\n<function=name_of_the_function>\n<parameter=name_of_a_parameter>\nits value\n</parameter>\n' -}}
    {{- '<parameter=name_of_another>\nits value, which may have\nseveral lines\n</parameter>\n</function>\n</tool_call>\n\n' -}}
    {{- 'Give every required parameter. You may say why you call it before the call. ' -}}
    {{- 'If no function helps, answer without one, and do not mention functions.' -}}
{%- endmacro -%}

{#- All instructions at the start are one message. The tools follow them: they begin with the tag of the tenant. -#}
{%- set start = namespace(messages=0, said='', question=-1) -%}
{%- for message in messages -%}
    {%- if message.role in ['system', 'developer'] and loop.index0 == start.messages -%}
        {%- set start.messages = loop.index -%}
        {%- set said = text(message) | trim -%}
        {%- set start.said = start.said + ('\n\n' if start.said and said else '') + said -%}
    {%- elif message.role == 'user' -%}
        {%- set start.question = loop.index0 -%}
    {%- endif -%}
{%- endfor -%}
{%- if tools -%}
    {%- set start.said = start.said + ('\n\n' if start.said else '') + available(tools) -%}
{%- endif -%}
{%- if start.said -%}
    {{- message_of('system', start.said) -}}
{%- endif -%}

{#- What has come since the last answer: results of its calls first. The empty message at the end closes the last turn. -#}
{%- set turn = namespace(calls=[], results=[], said='') -%}
{%- for message in messages + [{}] -%}
    {%- if loop.index0 < start.messages -%}

    {%- elif message.role == 'assistant' or message.role is undefined -%}
        {{- answers(turn.calls, turn.results) + turn.said -}}
        {%- set turn.calls = message.tool_calls or [] -%}
        {%- set turn.results = [] -%}
        {%- set turn.said = '' -%}

        {%- if message.role == 'assistant' -%}
            {{- '<|im_start|>assistant\n' -}}
            {%- if preserve_thinking is not defined or preserve_thinking or loop.index0 > start.question -%}
                {{- '<think>\n' + ((message.reasoning_content or '') | trim) + '\n</think>\n\n' -}}
            {%- endif -%}
            {%- set said = text(message) | trim -%}
            {{- said -}}
            {%- for tool_call in turn.calls -%}
                {{- ('\n' if not loop.first else '\n\n' if said else '') + call(tool_call.function) -}}
            {%- endfor -%}
            {{- '<|im_end|>\n' -}}
        {%- endif -%}

    {%- elif message.role in ['system', 'developer'] -%}
        {%- set turn.said = turn.said + message_of('system', text(message) | trim) -%}

    {%- elif message.role == 'user' -%}
        {%- set turn.said = turn.said + message_of('user', text(message) | trim) -%}

    {%- elif message.role == 'tool' -%}
        {%- set turn.results = turn.results + [message] -%}

    {%- else -%}
        ${unknownRole('message.role')}
    {%- endif -%}
{%- endfor -%}

{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\n<think>\n' -}}
    {%- if enable_thinking is defined and not enable_thinking -%}
        {{- '\n</think>\n\n' -}}
    {%- endif -%}
{%- endif -%}
`
