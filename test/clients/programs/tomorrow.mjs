/** Imported before a program: its clock is a day ahead. */
const day = 24 * 60 * 60 * 1000
const { now } = Date

globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length === 0 ? [now() + day] : given))
  }

  static now() {
    return now() + day
  }
}
