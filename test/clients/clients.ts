/** How to run each client unattended: one question, all tools permitted, no telemetry, no updates. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from '../mirror/tool-model.ts'
import type { ClientRunOptions, Home, Screen } from './home.ts'

type AskClient = (
  home: Home,
  modules: string,
  question: string,
  options?: ClientRunOptions,
) => Promise<Screen>

export type Client = {
  /** Its name in `slm-copilot clients`. */
  name: string
  /** The name of the npm package. */
  package: string
  /** Asks a question, with tools and streaming, and waits for the client to exit. */
  ask: AskClient
  /** Runs the printed program, if there is one. */
  paste?: AskClient
  /** Asks for an answer that is not streamed; undefined if the client always streams. */
  chat?: AskClient
  /** A call of one of the client's tools that creates a file named `made`. */
  call: Call
}

const node = process.execPath

/** Runs a command line whose last argument is the question. */
const terminal =
  (command: (modules: string) => string[], variables: Record<string, string> = {}): AskClient =>
  (home, modules, question, options) =>
    home.run([...command(join(modules, 'node_modules')), question], {
      ...options,
      variables: { ...variables, ...options?.variables },
    })

/** Coding agents, run with their non-interactive command lines. */
const agents: Client[] = [
  {
    name: 'opencode',
    package: 'opencode-linux-x64',
    ask: terminal(modules => [join(modules, 'opencode-linux-x64/bin/opencode'), 'run', '--auto'], {
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    }),
    call: { name: 'bash', arguments: '{"command":"touch made"}' },
  },
  {
    name: 'continue',
    package: '@continuedev/cli',
    ask: terminal(modules => [node, join(modules, '@continuedev/cli/dist/cn.js'), '--auto', '--print'], {
      CONTINUE_TELEMETRY_ENABLED: '0',
    }),
    call: { name: 'Bash', arguments: '{"command":"touch made"}' },
  },
  {
    name: 'cline',
    package: '@cline/cli-linux-x64',
    ask: terminal(modules => [join(modules, '@cline/cli-linux-x64/bin/cline')], {
      CLINE_TELEMETRY_DISABLED: '1',
      CLINE_NO_AUTO_UPDATE: '1',
    }),
    call: { name: 'run_commands', arguments: '{"commands":["touch made"]}' },
  },
  {
    name: 'claude-code',
    package: '@anthropic-ai/claude-code-linux-x64',
    ask: terminal(
      modules => [
        join(modules, '@anthropic-ai/claude-code-linux-x64/claude'),
        '--allowed-tools=Bash(touch:*)',
        '--print',
      ],
      { DISABLE_AUTOUPDATER: '1' },
    ),
    call: { name: 'Bash', arguments: '{"command":"touch made"}' },
  },
  {
    name: 'codex',
    package: '@openai/codex-linux-x64',
    ask: terminal(modules => [
      join(modules, '@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex'),
      'exec',
      '--skip-git-repo-check',
      '--dangerously-bypass-approvals-and-sandbox',
    ]),
    call: { name: 'exec_command', arguments: '{"cmd":"touch made"}' },
  },
  {
    name: 'qwen-code',
    package: '@qwen-code/qwen-code',
    ask: terminal(modules => [node, join(modules, '@qwen-code/qwen-code/cli.js'), '--yolo', '--prompt']),
    call: { name: 'run_shell_command', arguments: '{"command":"touch made","is_background":false}' },
  },
]

/** Copies a test program, beside a module with the beginning of the printed one, which creates the client. */
function writeProgram(home: Home, name: string, exported: string): string {
  const opening = home.program.split('\n\n')[0]
  writeFileSync(join(home.project, 'copilot.mjs'), `${opening}\nexport { ${exported} }\n`)
  copyFileSync(join(import.meta.dirname, 'programs', name), join(home.project, name))
  return name
}

const library = (name: string, npmName: string, exported: string): Client => {
  const runProgram =
    (file: string): AskClient =>
    (home, _, question, options) =>
      home.run([node, writeProgram(home, file, exported), question], options)
  return {
    name,
    package: npmName,
    paste: (home, _modules, _question, options) => {
      writeFileSync(join(home.project, 'pasted.mjs'), home.program)
      return home.run([node, 'pasted.mjs'], options)
    },
    chat: runProgram(`${name}-chat.mjs`),
    ask: runProgram(`${name}-tool.mjs`),
    call: { name: 'touch', arguments: '{"path":"made"}' },
  }
}

/** SDKs, each with test programs. */
const libraries = [
  library('openai', 'openai', 'client, model'),
  library('ai-sdk', '@ai-sdk/openai-compatible', 'model'),
  library('anthropic', '@anthropic-ai/sdk', 'client, model'),
]

export const isAgent = ({ name }: Client): boolean => agents.some(agent => agent.name === name)

/** The clients that `make test` runs. */
export const someClients: Client[] = [...libraries, ...agents.slice(0, 2)]
export const allClients: Client[] = [...libraries, ...agents]
