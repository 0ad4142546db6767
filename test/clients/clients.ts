/** How to run each client unattended: one question, all tools allowed, no telemetry, no updates. */
import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Call } from '../mirror/tool-model.ts'
import type { Home, RunOptions, Screen } from './home.ts'

type Ask = (home: Home, modules: string, question: string, options?: RunOptions) => Promise<Screen>

export type Client = {
  /** As `slm-copilot clients` names it. */
  name: string
  /** What was installed, as npm names it. */
  package: string
  /** Asks a question, with tools and in a stream, and waits for the client to end. */
  ask: Ask
  /** Runs the program as it is printed; absent where there is none. */
  paste?: Ask
  /** Asks for an answer in one piece; absent where the client only streams. */
  chat?: Ask
  /** A call of a tool that the client has, which makes a file named `made`. */
  call: Call
}

const node = process.execPath

/** A command line that takes the question last. */
const terminal =
  (command: (modules: string) => string[], variables: Record<string, string> = {}): Ask =>
  (home, modules, question, options) =>
    home.run([...command(join(modules, 'node_modules')), question], {
      ...options,
      variables: { ...variables, ...options?.variables },
    })

/** Agents with a window, run in their terminals. */
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

/** The opening of a program as it is printed makes the client and names the model; the test's program goes on from there. */
function writeProgram(home: Home, name: string, exported: string): string {
  const opening = home.program.split('\n\n')[0]
  writeFileSync(join(home.project, 'copilot.mjs'), `${opening}\nexport { ${exported} }\n`)
  copyFileSync(join(import.meta.dirname, 'programs', name), join(home.project, name))
  return name
}

const library = (name: string, npmName: string, exported: string): Client => {
  const runProgram =
    (file: string): Ask =>
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

/** Libraries, each with programs of the test's own. */
const libraries = [
  library('openai', 'openai', 'client, model'),
  library('ai-sdk', '@ai-sdk/openai-compatible', 'model'),
  library('anthropic', '@anthropic-ai/sdk', 'client, model'),
]

/** What `make test` runs. */
export const someClients: Client[] = [...libraries, ...agents.slice(0, 2)]
export const allClients: Client[] = [...libraries, ...agents]
