/** Time for the bench: it jumps from event to event, so that results do not depend on how fast this machine is. */

type Event = { at: number; run: () => Promise<void> | void }

export class Clock {
  /** Seconds. */
  now = 0
  readonly #events: Event[] = []

  /** Runs this later, after so many seconds. */
  after(seconds: number, run: Event['run']): void {
    const event = { at: this.now + seconds, run }
    let [low, high] = [0, this.#events.length]
    // The next event is the last of the list.
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#events[middle] as Event).at > event.at) low = middle + 1
      else high = middle
    }
    this.#events.splice(low, 0, event)
  }

  /** Runs one event after another, each once the one before has taken effect. */
  async runUntil(end: number): Promise<void> {
    for (let event = this.#events.pop(); event !== undefined && event.at < end; event = this.#events.pop()) {
      this.now = event.at
      await event.run()
    }
  }
}

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
