/** The results of all clients as a table, and the messages that their users see. */
import type { TrialOutcome } from './scenarios.ts'

export type SessionShares = { next: number; commit: number; day: number }

export type ClientRow = {
  name: string
  version: string
  firstPaste: TrialOutcome
  chat: TrialOutcome | undefined
  toolTurn: TrialOutcome
  wrongKey: TrialOutcome
  loading: TrialOutcome
  slowPrompt?: TrialOutcome
  /**
   * Shares of the prompt that were cached: of the request after a tool call, of the first one of the next session, of that
   * after a commit, and of that on the next day. A cached prompt that has less than a tenth in common counts as another.
   */
  reused: { next: number; session: SessionShares | undefined }
}

/** Whether a client passed all scenarios. */
export const isGood = ({ firstPaste, chat, toolTurn, wrongKey, loading, slowPrompt }: ClientRow) =>
  firstPaste.isAnswered &&
  chat?.isAnswered !== false &&
  toolTurn.isAnswered &&
  toolTurn.hasMade &&
  refusal(wrongKey) !== undefined &&
  loading.isAnswered &&
  slowPrompt?.isAnswered !== false

/** The line of the output that says that the key is wrong. */
export const refusal = ({ text }: TrialOutcome) =>
  text
    .split('\n')
    .find(line => line.includes('Wrong or missing API key'))
    ?.trim()

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const yes = (isSo: boolean) => (isSo ? 'yes' : 'NO')
const statuses = ({ requests }: TrialOutcome) => requests.map(({ status }) => status).join(' ')
const longest = ({ requests }: TrialOutcome) =>
  Math.max(0, ...requests.map(({ seconds }) => seconds)).toFixed(0)

const tried = (outcome: TrialOutcome, isSo: boolean) =>
  `${yes(isSo)} (${outcome.seconds.toFixed(0)} s: ${statuses(outcome)})`

const ofSession =
  (kind: keyof SessionShares) =>
  ({ reused: { session } }: ClientRow) =>
    session === undefined ? '-' : percent(session[kind])

/** A Markdown table with one row per client. */
export function table(rows: ClientRow[]): string {
  const columns: [string, (row: ClientRow) => string][] = [
    ['client', ({ name, version }) => `${name} ${version}`],
    ['first paste', ({ firstPaste }) => yes(firstPaste.isAnswered)],
    ['in one piece', ({ chat }) => (chat === undefined ? 'only streams' : yes(chat.isAnswered))],
    ['tool turn', ({ toolTurn }) => tried(toolTurn, toolTurn.isAnswered && toolTurn.hasMade)],
    ['reused of the next prompt', ({ reused }) => percent(reused.next)],
    ["of the next session's", ofSession('next')],
    ["of one's after a commit", ofSession('commit')],
    ["of the next day's", ofSession('day')],
    ["wrong key's message", ({ wrongKey }) => tried(wrongKey, refusal(wrongKey) !== undefined)],
    ['served after loading', ({ loading }) => tried(loading, loading.isAnswered)],
    [
      'six minutes of prompt',
      ({ slowPrompt }) =>
        slowPrompt === undefined
          ? '-'
          : `${tried(slowPrompt, slowPrompt.isAnswered)}, longest ${longest(slowPrompt)} s`,
    ],
  ]
  const lines = [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...rows.map(row => columns.map(([, cell]) => cell(row))),
  ]
  return lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')
}
