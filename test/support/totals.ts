/** A reporter that ends a run with its slowest files, the duration of each project, and the line `N passed, N failed`. */
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
    console.log(totals(modules))
  }
}

function totals(modules: readonly TestModule[]): string {
  const states = modules.flatMap(module => [...module.children.allTests()].map(test => test.result().state))
  // A file that fails before its first test also counts as a failure.
  const broken = modules.filter(module => module.state() === 'failed' && module.errors().length > 0).length
  const count = (state: string) => states.filter(one => one === state).length
  const skipped = count('skipped') + count('pending')
  const tail = skipped > 0 ? `, ${skipped} skipped` : ''
  return `${count('passed')} passed, ${count('failed') + broken} failed${tail}`
}
