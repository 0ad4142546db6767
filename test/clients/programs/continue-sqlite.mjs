/** The part of npm's `sqlite` that Continue's core uses, on Node's own SQLite: sqlite3's binary does not come from npm. */
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'

const sqlValue = value => (typeof value === 'boolean' ? Number(value) : (value ?? null))
const sqlValues = values => (Array.isArray(values[0]) ? values[0] : values).map(sqlValue)

class Database {
  #sqlite
  /** As of sqlite3, which `sqlite` wraps. */
  db

  constructor(path) {
    this.#sqlite = new DatabaseSync(path, { enableForeignKeyConstraints: false })
    this.db = {
      serialize: act => act(),
      exec: (sql, done) => void this.exec(sql).then(() => done(null), done),
      run: (sql, values, done) => void this.run(sql, values).then(() => done(null), done),
    }
  }

  async exec(sql) {
    this.#sqlite.exec(sql)
  }

  async run(sql, ...values) {
    const { changes, lastInsertRowid } = this.#sqlite.prepare(sql).run(...sqlValues(values))
    return { changes, lastID: Number(lastInsertRowid) }
  }

  async get(sql, ...values) {
    return this.#sqlite.prepare(sql).get(...sqlValues(values))
  }

  async all(sql, ...values) {
    // sqlite3 answers in a later turn, in which the core has opened its vectors.
    await setImmediate()
    return this.#sqlite.prepare(sql).all(...sqlValues(values))
  }

  async prepare(sql, ...bound) {
    return { all: (...values) => this.all(sql, ...(values.length > 0 ? values : bound)) }
  }
}

export const open = async ({ filename }) => new Database(filename)
