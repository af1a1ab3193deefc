// Which stretch of time is shown, and where on the screen.

const SHORTEST = 1 // seconds that are shown at least
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200]

export class TimeAxis {
  constructor(duration) {
    this.duration = Math.max(duration, 0.001)
    this.start = 0
    this.end = this.duration
    this.left = 0 // pixels of the plot's left edge
    this.width = 1 // pixels of the plot
  }

  get span() { return this.end - this.start }
  get isWhole() { return this.span >= this.duration - 1e-9 }
  get scale() { return this.width / this.span } // pixels per second

  x(time) { return this.left + (time - this.start) * this.scale }
  time(x) { return Math.min(this.duration, Math.max(0, this.start + (x - this.left) / this.scale)) }

  /** Show `span` seconds with `time` at the same place on the screen. */
  zoom(factor, time) {
    const span = Math.min(this.duration, Math.max(Math.min(SHORTEST, this.duration), this.span / factor))
    const place = (time - this.start) / this.span
    this.moveTo(time - place * span, span)
  }

  moveTo(start, span = this.span) {
    this.start = Math.min(Math.max(0, start), this.duration - span)
    this.end = this.start + span
  }

  whole() { this.moveTo(0, this.duration) }

  /** Turn the page when a time is not shown; says whether it did. */
  follow(time) {
    if (this.isWhole || (time >= this.start && time <= this.end)) return false
    this.moveTo(time - 0.1 * this.span)
    return true
  }

  /** Round times, far enough apart to be labelled. */
  ticks(pixels = 70) {
    const step = STEPS.find((seconds) => seconds * this.scale >= pixels) ?? STEPS.at(-1)
    const first = Math.ceil(this.start / step - 1e-9)
    const count = Math.floor(this.end / step + 1e-9) - first + 1
    return { step, times: Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step) }
  }
}
