/** The home folder of a developer who has pasted a client's settings, and the client's runs in it. */
import { spawn } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { type ClientConfiguration, program, shell } from '../../lib/render/clients/configuration.ts'

/** A client's output, and its exit code: null if it was killed here. */
export type Screen = { text: string; code: number | null; seconds: number }

export type Home = {
  folder: string
  /** The client's working directory. */
  project: string
  /** The program in the configuration, if it contains one. */
  program: string
  /** Runs a command in the project, with the variables that the configuration exports, and none of this process. */
  run(command: string[], options?: ClientRunOptions): Promise<Screen>
  remove(): void
}

export type ClientRunOptions = {
  variables?: Record<string, string>
  /** Seconds until it is killed. */
  limit?: number
}

/** Pastes a configuration: files to their paths, variables into the shell's profile. */
export function homeWith({ snippets }: ClientConfiguration, modules: string): Home {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-home-'))
  const project = join(folder, 'project')
  mkdirSync(project)
  // Node.js resolves a program's imports in the folders above it.
  symlinkSync(join(modules, 'node_modules'), join(folder, 'node_modules'))
  const texts = (wanted: (place: string) => boolean) =>
    snippets.filter(({ place }) => wanted(place)).map(({ text }) => text)

  for (const { place, text } of snippets.filter(part => part.place.startsWith('~/'))) {
    const path = join(folder, place.slice(2))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const profile = join(folder, '.profile')
  writeFileSync(profile, texts(place => place === shell).join(''))

  return {
    folder,
    project,
    program: texts(place => place.startsWith(program))[0] ?? '',
    run: (command, { variables = {}, limit = 280 } = {}) =>
      run(folder, ['sh', '-c', '. "$HOME/.profile"; exec "$@"', 'sh', ...command], {
        cwd: project,
        limit,
        env: { ...surroundings(folder), ...variables },
      }),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** The complete environment of a client: it inherits nothing else from this process. */
const surroundings = (home: string) => ({
  PATH: process.env.PATH ?? '',
  HOME: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  XDG_DATA_HOME: join(home, '.local/share'),
  XDG_STATE_HOME: join(home, '.local/state'),
  XDG_CACHE_HOME: join(home, '.cache'),
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  NO_COLOR: '1',
})

/** All processes with this home: some agents leave servers behind, outside of their process group. */
const residents = (home: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`)
      } catch {
        // It has exited meanwhile, or is not ours.
        return false
      }
    })
    .map(Number)

function endResidents(home: string) {
  for (const pid of residents(home)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has exited meanwhile.
    }
  }
}

/** Runs a command in a home, with its output in a file: servers left behind would keep a pipe open. */
async function run(
  home: string,
  [name = '', ...args]: string[],
  { limit, ...options }: { cwd: string; env: Record<string, string>; limit: number },
): Promise<Screen> {
  const start = Date.now()
  const path = join(home, 'screen')
  const file = openSync(path, 'w')
  const end = () => endResidents(home)
  process.once('exit', end)
  const child = spawn(name, args, { ...options, stdio: ['ignore', file, file] })
  let isLate = false
  const late = setTimeout(() => {
    isLate = true
    end()
  }, limit * 1000)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', resolve)
  })
  clearTimeout(late)
  end()
  process.off('exit', end)
  closeSync(file)
  const seconds = (Date.now() - start) / 1000
  return {
    text: stripVTControlCharacters(readFileSync(path, 'utf8')),
    code: isLate ? null : code,
    seconds,
  }
}
