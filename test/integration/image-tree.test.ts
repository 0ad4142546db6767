/** The listing of an image's files, from real disks: a partition with ext4, mounted read-only. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { compareTrees, treeOf } from '../../packer/build/image-tree.ts'

const home = mkdtempSync(join(tmpdir(), 'slm-copilot-tree-'))
afterAll(() => rmSync(home, { recursive: true }))

/** A disk as the base image has it: one partition, which starts at 1 MiB. */
function disk(prefix: string, text: string): string {
  const name = basename(mkdtempSync(join(home, prefix)))
  const folder = join(home, name)
  mkdirSync(join(folder, 'etc'), { recursive: true })
  writeFileSync(join(folder, 'etc', 'a b\nc'), text)
  writeFileSync(join(folder, 'etc', 'secret'), 'x')
  chmodSync(join(folder, 'etc', 'secret'), 0o4600)
  symlinkSync('secret', join(folder, 'etc', 'link'))
  const script = `truncate --size 32M disk.raw
echo 'start=2048, type=83' | sfdisk --quiet disk.raw
mkfs.ext4 -q -E offset=1048576,root_owner=0:0 -d "$1" disk.raw 30M
qemu-img convert -O qcow2 disk.raw "$1.qcow2"`
  execFileSync('bash', ['-euc', script, 'bash', name], {
    cwd: home,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  })
  return join(home, `${name}.qcow2`)
}

it('lists and compares two disks', () => {
  const [a, b] = [treeOf(disk('a', 'one')), treeOf(disk('b', 'two'))]
  expect(a.get('/etc/secret')).toMatch(/^f 04600 0:0 [0-9a-f]{64}$/)
  expect(a.get('/etc/link')).toBe('l 0777 0:0 secret')
  expect(compareTrees(a, a)).toEqual([])
  expect(compareTrees(a, b).map(({ path, reason }) => [path, reason])).toEqual([['/etc/a b\nc', undefined]])
})
