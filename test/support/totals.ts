/**
 * A reporter that ends a run with its slowest files, the duration of each project, what failed or passed only when
 * repeated, and the line `N passed, N failed`: whoever sees only the end of the output sees what is wrong.
 */
import type { Reporter, TestModule } from 'vitest/node'

const shown = 20
const seconds = (milliseconds: number) => `${Math.round(milliseconds / 1000)} s`.padStart(7)

type Span = { from: number; to: number }

export default class Totals implements Reporter {
  /** In milliseconds: the start of a project's first file, and the end of its last one. */
  private readonly spans = new Map<string, Span>()

  onTestModuleStart({ project }: TestModule): void {
    if (!this.spans.has(project.name)) this.spans.set(project.name, { from: Date.now(), to: Date.now() })
  }

  onTestModuleEnd({ project }: TestModule): void {
    const span = this.spans.get(project.name)
    if (span) span.to = Date.now()
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const files = modules.map(module => ({
      name: module.relativeModuleId,
      took: module.diagnostic().duration,
    }))
    console.log('The slowest files:')
    for (const { name, took } of files.sort((a, b) => b.took - a.took).slice(0, shown))
      console.log(`${seconds(took)}  ${name}`)
    console.log('Duration of each project (they may overlap):')
    for (const [name, { from, to }] of this.spans) console.log(`${seconds(to - from)}  ${name}`)
    for (const line of unstable(modules)) console.log(line)
    const failed = failures(modules)
    for (const line of failed) console.log(line)
    console.log(totals(modules, failed.length))
  }
}

type Errors = readonly { message: string }[]

/** A line of 400 characters at most. */
const line = (label: string, name: string, errors: Errors) =>
  `${label} ${name}: ${errors[0]?.message}`.replaceAll(/\s+/g, ' ').slice(0, 400)

/** What failed, a line each (tests, hooks, and files that failed to load): its name, and the start of its first error. */
function failures(modules: readonly TestModule[]): string[] {
  return modules.flatMap(module => {
    const file = module.relativeModuleId
    const suites = [...module.children.allSuites()].filter(suite => suite.errors().length > 0)
    const tests = [...module.children.allTests()].filter(test => test.result().state === 'failed')
    return [
      ...(module.errors().length > 0 ? [line('FAILED', file, module.errors())] : []),
      ...suites.map(suite => line('FAILED', `${file} > ${suite.fullName}`, suite.errors())),
      ...tests.map(test => line('FAILED', `${file} > ${test.fullName}`, test.result().errors ?? [])),
    ]
  })
}

/** The tests that failed at first and passed when repeated: each is a defect to be found, here or in the test. */
const unstable = (modules: readonly TestModule[]): string[] =>
  modules.flatMap(module =>
    [...module.children.allTests()]
      .filter(test => test.diagnostic()?.flaky)
      .map(test =>
        line('UNSTABLE', `${module.relativeModuleId} > ${test.fullName}`, test.result().errors ?? []),
      ),
  )

function totals(modules: readonly TestModule[], failed: number): string {
  const states = modules.flatMap(module => [...module.children.allTests()].map(test => test.result().state))
  const count = (state: string) => states.filter(one => one === state).length
  const skipped = count('skipped') + count('pending')
  const tail = skipped > 0 ? `, ${skipped} skipped` : ''
  return `${count('passed')} passed, ${failed} failed${tail}`
}
