/** Problems in the context, described for the person who set it. */

import { wrapped } from './text.ts'

export type Problem = {
  variable: string
  /** What was set, safe to show: for a secret, its length. */
  got: string
  takes: string
}

/** Thrown by the context's parser with all problems at once; the message is the text to print. */
export class ContextError extends Error {
  readonly problems: Problem[]

  constructor(problems: Problem[]) {
    super(describeProblems(problems))
    this.problems = problems
  }
}

const describeProblem = ({ variable, got, takes }: Problem) =>
  [variable, ...wrapped(`got ${got}`, 74), ...wrapped(`takes ${takes}`, 74)]
    .map((line, index) => (index === 0 ? `  ${line}\n` : `    ${line}\n`))
    .join('')

const describeProblems = (problems: Problem[]) =>
  [
    problems.length === 1 ? '1 problem in the context.' : `${problems.length} problems in the context.`,
    'The running service keeps its last good configuration. Fix these in the',
    "VM's context (Sunstone: the VM's Conf tab):",
    '',
    ...problems.map(describeProblem),
  ].join('\n')
