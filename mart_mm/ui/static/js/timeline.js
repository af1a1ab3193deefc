// One time axis: of each report a curve, a strip, its words and its masks; a ruler below, a cursor over all.

import { TimeAxis } from './axis.js'
import { ceiling, drawCurve, heightOfNames } from './curve.js'
import { clock, html, percent, sentimentName, svg, textWidth } from './dom.js'
import { MaskStrip } from './masks.js'
import { segmentAt } from './segments.js'
import { drawStrip } from './strip.js'
import { hush, tellAt, tellBeside } from './tooltip.js'
import { LEVEL_NAMES, WordTrack } from './words.js'

const LEFT = 34 // pixels for the values of the vertical axis
const SMALL = 640 // pixels of a narrow page

function key(name, text) {
  return html('span', { class: 'key' }, html('i', { class: `swatch ${name}`, 'aria-hidden': 'true' }), text)
}

export class Timeline {
  /**
   * @param shown one or two of `{ report, title }`
   * @param player moves in time: `time`, `seek(time)`, `toggle()`
   */
  constructor(node, shown, palette, player) {
    Object.assign(this, { node, palette, player })
    this.axis = new TimeAxis(Math.max(...shown.map(({ report }) => report.duration)))
    this.nameWidth = Math.max(...shown.flatMap(({ report }) => report.classes.map(textWidth)))
    this.top = ceiling(shown.map(({ report }) => report))
    this.tracks = shown.map((one) => this.track(one))
    this.rulerDrawing = svg('svg', { height: 24, 'aria-hidden': 'true' })
    this.ruler = html('div', {
      class: 'ruler row', role: 'slider', tabindex: '0', 'aria-label': 'Time in the video',
      'aria-valuemin': 0, 'aria-valuemax': this.axis.duration.toFixed(1),
    }, this.rulerDrawing)
    this.scroll = html('input', {
      class: 'scroll', type: 'range', min: 0, max: 1000, 'aria-label': 'Scroll the time axis', hidden: true,
      oninput: () => {
        this.axis.moveTo((this.scroll.value / 1000) * (this.axis.duration - this.axis.span))
        this.draw()
      },
    })
    this.cursor = html('div', { class: 'cursor' })
    this.area = html('div', { class: 'row area' }, ...this.tracks.map((track) => track.node), this.ruler, this.cursor)
    this.node.replaceChildren(this.area, this.scroll)
    this.listen()
    this.draw()
  }

  track({ report, title, job }) {
    const curve = svg('svg', { role: 'img', 'aria-label': 'Probability of each emotion over time; the table of segments has the values' })
    const strip = svg('svg', { role: 'img', 'aria-label': 'Sentiment and degree of each segment; the table of segments has the values' })
    const words = new WordTrack(report, {
      seek: (time) => this.player.seek(time),
      zoomTo: (start, end) => {
        const span = (end - start) * 4
        this.axis.moveTo((start + end) / 2 - span / 2, Math.min(this.axis.duration, Math.max(1, span)))
        hush()
        this.draw()
      },
      reveal: (time) => { if (this.axis.follow(time)) this.draw() },
      tell: tellBeside,
      hush,
    })
    const grouping = html('span')
    const wordHint = html('span')
    const levels = report.words.some((word) => word.level == null)
      ? [key('unverified', 'not verified by this model')]
      : LEVEL_NAMES.map((name, level) => key(['found', 'e1', 'e2', 'e3'][level], level ? `${name} passed` : name))
    const node = html('section', { class: 'track', 'data-job': job },
      html('h4', { class: 'track-title', text: title }),
      html('div', { class: 'caption' }, 'probability of each emotion', grouping),
      html('div', { class: 'row curve' }, curve),
      html('div', { class: 'caption' }, 'sentiment', key('minus', '− negative'), key('zero', '0 neutral'),
        key('plus', '+ positive'), 'height: degree'),
      html('div', { class: 'row strip' }, strip),
      html('div', { class: 'caption' }, 'words', ...levels, wordHint),
      words.node)
    const track = { node, report, curve, strip, words, grouping, wordHint }
    if (report.masks?.visual || report.masks?.audio) this.addMasks(track)
    return track
  }

  addMasks(track) {
    track.masks = new MaskStrip(track.report)
    track.maskHint = html('span')
    track.node.append(
      html('div', { class: 'caption' }, `masks of ${track.masks.streams.join(' and, below, ')}`, key('picked', 'patches that MART’s masking picks'),
        ...(track.masks.visual ? [key('frame own', 'no verified word')] : []), track.maskHint),
      html('div', { class: 'row masks' }, track.masks.node))
  }

  listen() {
    this.area.addEventListener('click', (event) => {
      const track = event.target.closest('.curve, .strip, .words, .masks, .ruler')
      if (track) this.player.seek(this.timeOf(event))
    })
    this.area.addEventListener('pointermove', (event) => this.onMove(event))
    this.area.addEventListener('pointerleave', hush)
    this.area.addEventListener('wheel', (event) => this.onWheel(event), { passive: false })
    this.ruler.addEventListener('keydown', (event) => {
      const target = { Home: 0, End: this.axis.duration }[event.key]
      if (target == null) return
      event.preventDefault()
      this.player.seek(target)
    })
    this.observer = new ResizeObserver(() => this.draw())
    this.observer.observe(this.node)
  }

  /** Let go of what outlives the drawing. */
  close() { this.observer.disconnect() }

  timeOf(event) { return this.axis.time(event.clientX - this.area.getBoundingClientRect().left) }

  onMove(event) {
    const track = this.tracks.find(({ node }) => node.contains(event.target))
    if (track && event.target.closest('.masks')) {
      tellAt(event.clientX, event.clientY, track.masks.describe(this.axis, this.timeOf(event)))
      return
    }
    if (!track || !event.target.closest('.curve, .strip')) {
      if (!event.target.closest('.word, .bin')) hush()
      return
    }
    const part = segmentAt(track.report, this.timeOf(event))
    const values = track.report.classes.map((name, k) => [name, part.distribution[k]]).sort((a, b) => b[1] - a[1])
    const lines = [`${clock(part.start, true)} to ${clock(part.end, true)}: ${sentimentName(part.sentiment)}, degree ${part.degree.toFixed(2)}`]
    if (part.text) lines.push(`“${part.text.length > 120 ? `${part.text.slice(0, 119)}…` : part.text}”`)
    tellAt(event.clientX, event.clientY, lines, values.map(([name, value]) => [name, value.toFixed(3)]))
  }

  onWheel(event) {
    if (event.ctrlKey || event.metaKey) this.axis.zoom(event.deltaY < 0 ? 1.25 : 0.8, this.timeOf(event))
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.axis.moveTo(this.axis.start + (event.deltaX || event.deltaY) / this.axis.scale)
    } else return
    event.preventDefault()
    this.draw()
  }

  zoom(factor) {
    const { time } = this.player
    const isShown = time >= this.axis.start && time <= this.axis.end
    this.axis.zoom(factor, isShown ? time : (this.axis.start + this.axis.end) / 2)
    this.draw()
  }

  whole() {
    this.axis.whole()
    this.draw()
  }

  draw() {
    const width = this.node.clientWidth
    if (!width) return
    const isSmall = width < SMALL
    const right = Math.max(72, Math.min(isSmall ? 84 : 130, this.nameWidth + 22))
    this.axis.left = LEFT
    this.axis.width = width - LEFT - right
    Object.assign(this.area.dataset, { start: this.axis.start, end: this.axis.end, left: LEFT, width: this.axis.width })
    for (const { report, curve, strip, words, grouping, wordHint, masks, maskHint } of this.tracks) {
      const height = Math.max(isSmall ? 190 : 230, heightOfNames(report.classes.length))
      const size = drawCurve(curve, report, this.axis, this.palette, { height, top: this.top, right })
      grouping.textContent = size > 1 ? `each point is the mean of ${size} segments; zoom in for each` : ''
      drawStrip(strip, report, this.axis, { height: 46 })
      const isCrowded = words.draw(this.axis, width)
      wordHint.textContent = isCrowded ? 'bars count words; zoom in to read them' : ''
      const merged = masks?.draw(this.axis) ?? 1
      if (masks) maskHint.textContent = merged > 1 ? `each is the mean of ${merged} segments; zoom in for each` : ''
    }
    this.drawRuler()
    const rest = this.axis.duration - this.axis.span
    this.scroll.hidden = this.axis.isWhole
    this.scroll.style.setProperty('width', `${this.axis.width}px`)
    this.scroll.style.setProperty('margin-left', `${LEFT}px`)
    this.scroll.value = rest > 0 ? (this.axis.start / rest) * 1000 : 0
    this.moveCursor()
  }

  drawRuler() {
    const { step, times } = this.axis.ticks()
    this.rulerDrawing.replaceChildren(...times.flatMap((time) => {
      const x = this.axis.x(time)
      const name = svg('text', { class: 'soft', x, y: 19, 'text-anchor': 'middle' })
      name.textContent = clock(time, step < 1)
      return [svg('line', { class: 'edge', x1: x, x2: x, y1: 0, y2: 6 }), name]
    }))
  }

  /** Put the cursor where the player is; called for every picture on the screen. */
  moveCursor(isPlaying = false) {
    const { time } = this.player
    if (isPlaying && this.axis.follow(time)) { this.draw(); return }
    const isShown = time >= this.axis.start - 1e-6 && time <= this.axis.end + 1e-6
    this.cursor.hidden = !isShown
    this.cursor.style.setProperty('transform', `translateX(${this.axis.x(time)}px)`)
    const text = this.valueText(time)
    if (text !== this.said) {
      this.said = text
      this.ruler.setAttribute('aria-valuenow', time.toFixed(1))
      this.ruler.setAttribute('aria-valuetext', text)
    }
  }

  valueText(time) {
    const parts = this.tracks.map(({ report }) => {
      const { emotion, distribution } = segmentAt(report, time)
      return `${emotion} ${percent(distribution[report.classes.indexOf(emotion)])}`
    })
    return `${clock(time)}, ${parts.join('; ')}`
  }
}
