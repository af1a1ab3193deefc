// What is shown of one or two finished analyses.

import * as api from './api.js'
import { find, html, percent } from './dom.js'
import { Palette } from './palette.js'
import { Player } from './player.js'
import { agreement } from './segments.js'
import { Summary } from './summary.js'
import { tables } from './tables.js'
import { Timeline } from './timeline.js'

const SKIPS = { ArrowLeft: -1, ArrowRight: 1 }
const TYPED_INTO = 'input, select, textarea, summary, video'

export class Results {
  /** @param fail shows an error */
  constructor({ formats, slow_formats: slowFormats }, fail) {
    Object.assign(this, { formats, slowFormats, fail })
    this.done = [] // analyses that can be shown, the oldest first
    this.reports = new Map()
    this.player = new Player(find('video'), find('video-note'))
    this.summaries = []
    find('result-a').addEventListener('change', () => this.choose())
    find('result-b').addEventListener('change', () => this.choose())
    find('zoom-in').addEventListener('click', () => this.timeline?.zoom(2))
    find('zoom-out').addEventListener('click', () => this.timeline?.zoom(0.5))
    find('zoom-all').addEventListener('click', () => this.timeline?.whole())
    document.addEventListener('keydown', (event) => this.onKey(event))
    const tick = () => {
      this.timeline?.moveCursor(this.player.isPlaying)
      for (const summary of this.summaries) summary.show(this.player.time)
      requestAnimationFrame(tick)
    }
    requestAnimationFrame(tick)
  }

  /** Offer finished analyses `{ id, title, video }`. */
  offer(done) {
    if (done.map(({ id }) => id).join() === this.done.map(({ id }) => id).join()) return
    this.done = done
    const [a, b] = [find('result-a').value, find('result-b').value]
    const options = () => [...done].reverse().map(({ id, title }) => html('option', { value: id, text: title }))
    find('result-a').replaceChildren(...options())
    find('result-b').replaceChildren(html('option', { value: '', text: 'nothing' }), ...options())
    if (done.some(({ id }) => id === a)) find('result-a').value = a
    if (done.some(({ id }) => id === b)) find('result-b').value = b
  }

  /** Show one analysis, or two on one time axis. */
  open(a, b = '') {
    find('result-a').value = a
    find('result-b').value = b
    return this.choose()
  }

  async choose() {
    const ids = [find('result-a').value, find('result-b').value]
    const chosen = [...new Set(ids)].map((id) => this.done.find((job) => job.id === id)).filter(Boolean)
    if (!chosen.length) return
    const wanted = chosen.map(({ id }) => id).join()
    this.wanted = wanted
    try {
      const shown = await Promise.all(chosen.map(async (job, i) => ({
        report: await this.report(job.id),
        title: chosen.length > 1 ? `${'AB'[i]}: ${job.title}` : job.title,
        job: job.id,
        video: job.video,
      })))
      if (this.wanted !== wanted) return // another choice was made meanwhile
      history.replaceState(null, '', `#${wanted}`)
      this.draw(shown)
    } catch (error) {
      this.fail(error)
    }
  }

  async report(id) {
    if (!this.reports.has(id)) {
      const report = await api.report(id)
      if (!report.segments.length) throw new Error(`${report.video} has no segments: there is nothing to show over time.`)
      this.reports.set(id, report)
    }
    return this.reports.get(id)
  }

  draw(shown) {
    find('results').hidden = false
    const duration = Math.max(...shown.map(({ report }) => report.duration))
    this.player.open(api.mediaUrl(shown[0].video), duration)
    const palette = new Palette(shown.flatMap(({ report }) => report.classes))
    const update = () => {
      for (const summary of this.summaries) summary.update()
      this.timeline.draw()
    }
    this.summaries = shown.map((one) => new Summary(one, palette, this.formats, this.slowFormats, update))
    find('summaries').replaceChildren(...this.summaries.map(({ node }) => node))
    const [a, b] = shown
    find('agreement').hidden = !b
    if (b) {
      const other = a.video === b.video ? '' : ' Picture and sound are those of A.'
      find('agreement').textContent =
        `A and B name the same emotion in ${percent(agreement(a.report, b.report))} of the time.${other}`
    }
    this.timeline?.close()
    this.timeline = new Timeline(find('timeline'), shown, palette, this.player)
    find('tables').replaceChildren(...shown.flatMap(tables))
  }

  onKey(event) {
    if (!this.timeline || event.altKey || event.ctrlKey || event.metaKey) return
    const { target } = event
    if (target.closest(TYPED_INTO) || find('results').hidden) return
    const isSpace = event.key === ' ' && !target.closest('button, a')
    if (event.key in SKIPS) this.player.seek(this.player.time + SKIPS[event.key] * (event.shiftKey ? 10 : 1))
    else if (isSpace) this.player.toggle()
    else if (event.key === '+' || event.key === '=') this.timeline.zoom(2)
    else if (event.key === '-') this.timeline.zoom(0.5)
    else return
    event.preventDefault()
  }
}
