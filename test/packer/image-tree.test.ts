import { expect, it } from 'vitest'
import { compareTrees, parseTree } from '../../packer/build/image-tree.ts'

const [one, two] = ['1'.repeat(64), '2'.repeat(64)]
const listing = (digest: string, more = '', sums = '') =>
  `d 0755 0:0 \t/etc\0f 0644 0:0 \t/etc/a file\0l 0777 0:0 a file\t/etc/link\0f 0644 0:0 \t/opt/slm-copilot/verified.json\0${more}\0` +
  `${one}  ./etc/a file\0${digest}  ./opt/slm-copilot/verified.json\0${sums}`

it('parses types, modes, owners, link targets and digests', () => {
  expect(Object.fromEntries(parseTree(listing(two)))).toEqual({
    '/etc': 'd 0755 0:0',
    '/etc/a file': `f 0644 0:0 ${one}`,
    '/etc/link': 'l 0777 0:0 a file',
    '/opt/slm-copilot/verified.json': `f 0644 0:0 ${two}`,
  })
})

it.each([
  ['the same', listing(one), listing(one), []],
  ['a justified difference', listing(one), listing(two), [['/opt/slm-copilot/verified.json', true]]],
  [
    'a file more',
    listing(one),
    listing(one, 'f 0600 0:0 \t/root/x\0', `${one}  ./root/x\0`),
    [['/root/x', false]],
  ],
  ['a file less', listing(one, 'f 0600 0:0 \t/root/x\0'), listing(one), [['/root/x', false]]],
  ['another mode', listing(one), listing(one).replace('d 0755', 'd 0700'), [['/etc', false]]],
  [
    'another owner',
    listing(one),
    listing(one).replace('0644 0:0 \t/etc', '0644 5:0 \t/etc'),
    [['/etc/a file', false]],
  ],
  ['another target', listing(one), listing(one).replace('a file\t', 'b\t'), [['/etc/link', false]]],
])('%s', (_, before, after, expected) => {
  const found = compareTrees(parseTree(before), parseTree(after))
  expect(found.map(({ path, reason }) => [path, reason !== undefined])).toEqual(expected)
})
