/** Each block of commands in the documents names the test that runs it, or says why none does. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blocksOf, commandBlocks } from './support/command-blocks.ts'
import { documents, textOf } from './support/documents.ts'

const checkout = resolve(import.meta.dirname, '..')

describe('blocks of commands', () => {
  const fenced = (comment: string) => `Text.\n\n${comment}\`\`\`sh\nmake up\n\`\`\`\n`

  it.each([
    ['with neither', '', {}],
    ['with a test', '<!-- run by: test/x.test.ts -->\n', { runBy: 'test/x.test.ts' }],
    ['with a reason', '<!-- not run: it is slow -->\n', { reason: 'it is slow' }],
    ['with a comment further up', '<!-- not run: it is slow -->\n\nText.\n\n', {}],
  ])('are found %s', (_, comment, expected) => {
    const line = comment.split('\n').length + 3
    expect(blocksOf('x.md', fenced(comment))).toEqual([
      { document: 'x.md', line, text: 'make up\n', ...expected },
    ])
  })

  it('are found within lists, without the indentation', () => {
    const text =
      '1. Text\n\n   <!-- run by: test/x.test.ts -->\n   ```bash\n   for x in 1; do\n     echo\n   done\n   ```\n'
    expect(blocksOf('x.md', text)).toEqual([
      { document: 'x.md', line: 5, text: 'for x in 1; do\n  echo\ndone\n', runBy: 'test/x.test.ts' },
    ])
  })

  it('are in the documents', () => {
    expect(commandBlocks().length).toBeGreaterThan(20)
  })

  it('leave out what is not a shell, such as output', () => {
    expect(blocksOf('x.md', '```\noutput\n```\n\n```ts\nconst x = 1\n```\n')).toEqual([])
  })
})

describe.each(documents)('%s', name => {
  const blocks = [...textOf(name).matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)]

  it('marks commands as such', () => {
    const languages = blocks.map(([, language]) => language)
    expect(languages.filter(language => !['', 'sh', 'bash', 'ts', 'yaml'].includes(language ?? ''))).toEqual(
      [],
    )
    const unmarked = blocks.filter(([, language]) => language === '').map(([, , text = '']) => text)
    const command = /^ *(\$ |(curl|git|make|node|npm|npx|openssl|slm-copilot|ssh|systemctl) [\w./-]+( |$))/m
    expect(unmarked.filter(text => command.test(text))).toEqual([])
  })
})

describe.each(commandBlocks())('$document:$line', ({ text, runBy, reason }) => {
  it('can be parsed by bash', () => {
    expect(spawnSync('bash', ['-n'], { input: text, encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    })
  })

  it('is run by a test, or has the reason why not', () => {
    expect(runBy ?? reason).toBeDefined()
  })

  it.runIf(runBy !== undefined)(`is run by ${runBy}`, () => {
    const file = join(checkout, runBy ?? '')
    expect(existsSync(file) ? readFileSync(file, 'utf8') : '').toContain('blocksRunBy(import.meta.filename)')
  })
})
