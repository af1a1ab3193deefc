// What emotion-oriented masking picks: a small picture of patches per segment, and its sound below.

import { clock, percent, svg } from './dom.js'

const THUMB = 56 // pixels of a picture of patches, at most
const GAP = 6 // pixels between pictures, at least
const SOUND = 40 // pixels of all bands, about
const COLUMN = 4 // pixels of a column of sound, at least
const PICTURE_PLACES = [['top', 'middle', 'bottom'], ['left', 'centre', 'right']]
const BANDS = ['low', 'middle', 'high']
let clips = 0

/** Mean of digits, of several segments, in a range of rows and of columns. */
function mean(segments, [top, bottom], [left, right]) {
  let [sum, count] = [0, 0]
  for (const rows of segments) {
    for (let r = top; r < bottom; r++) {
      for (let c = left; c < right; c++) { sum += Number(rows[r][c]); count += 1 }
    }
  }
  return count ? sum / count : 0
}

/** Groups of so many segments that are in view. */
function groups(report, axis, size) {
  const found = []
  for (let first = 0; first < report.segments.length; first += size) {
    const last = Math.min(first + size, report.segments.length) - 1
    const [start, end] = [report.segments[first].start, report.segments[last].end]
    if (end >= axis.start && start <= axis.end) found.push({ first, last, start, end })
  }
  return found
}

/** Segments that a group has pixels for: a power of two, so that groups stay when the axis scrolls. */
function groupSize(report, axis, pixels) {
  const each = (axis.scale * report.segments.at(-1).end) / report.segments.length
  return Math.max(1, 2 ** Math.ceil(Math.log2(pixels / each)))
}

const present = (stream, { first, last }) => stream.slice(first, last + 1).filter((rows) => rows.length)

export class MaskStrip {
  constructor(report) {
    this.report = report
    this.visual = report.masks.visual
    this.audio = report.masks.audio
    const { with_words: withWords } = report.masks
    this.streams = [this.visual && 'picture', this.audio && 'sound'].filter(Boolean)
    this.node = svg('svg', {
      role: 'img',
      'aria-label': `Patches of ${this.streams.join(' and ')} that emotion-oriented masking picks in each of `
        + `${withWords.length} segments, in ${withWords.filter(Boolean).length} of them with verified words. `
        + 'Segment by segment they are in the JSON file.',
    })
  }

  /** Draw; returns of how many segments each picture is. */
  draw(axis) {
    const end = axis.left + axis.width
    const shades = Array.from({ length: 10 }, () => [])
    const fill = (level, x, y, width, height) => {
      shades[Math.round(level)].push(`M${x.toFixed(1)} ${y}h${width.toFixed(1)}v${height}h${(-width).toFixed(1)}z`)
    }
    const size = this.size(axis)
    const frames = this.visual ? this.pictures(axis, size, fill) : []
    const top = this.visual ? this.height + 5 : 1
    const sounds = this.audio ? this.sound(axis, top, fill) : []
    const clip = `mask-clip${clips++}`
    const total = top + (this.audio ? this.bands * this.band + 1 : 0)
    this.node.setAttribute('height', total)
    this.node.replaceChildren(
      svg('clipPath', { id: clip }, svg('rect', { x: axis.left - 1, y: 0, width: end - axis.left + THUMB, height: total })),
      svg('g', { 'clip-path': `url(#${clip})` }, ...frames, ...sounds,
        ...shades.map((parts, level) => (level && parts.length ? svg('path', {
          class: 'picked', 'data-level': level, 'fill-opacity': (level / 9).toFixed(2), d: parts.join(''),
        }) : '')).filter(Boolean)))
    return this.visual ? size : 1
  }

  size(axis) {
    if (!this.visual) return groupSize(this.report, axis, COLUMN)
    const rows = this.visual.find((one) => one.length)
    this.cell = Math.max(2, Math.floor(THUMB / Math.max(rows.length, rows[0].length)))
    this.height = rows.length * this.cell + 2
    return groupSize(this.report, axis, rows[0].length * this.cell + GAP)
  }

  pictures(axis, size, fill) {
    const { cell } = this
    let taken = -Infinity
    return groups(this.report, axis, size).flatMap((group) => {
      const segments = present(this.visual, group)
      if (!segments.length) return []
      const [height, width] = [segments[0].length, segments[0][0].length]
      const middle = (axis.x(group.start) + axis.x(group.end)) / 2
      const x = Math.max(taken, Math.round(middle - (width * cell) / 2)) // the last group may be narrow
      taken = x + width * cell + GAP
      for (let r = 0; r < height; r++) {
        for (let c = 0; c < width; c++) {
          fill(mean(segments, [r, r + 1], [c, c + 1]), x + c * cell, 1 + r * cell, cell, cell)
        }
      }
      return [svg('rect', {
        class: this.isWithWords(group) ? 'frame' : 'frame own', x: x - 0.5, y: 0.5, width: width * cell + 1,
        height: height * cell + 1, 'data-first': group.first, 'data-last': group.last,
      })]
    })
  }

  sound(axis, top, fill) {
    const rows = this.audio.find((one) => one.length)
    this.bands = rows.length
    this.band = Math.max(2, Math.floor(SOUND / this.bands))
    const shown = groups(this.report, axis, groupSize(this.report, axis, COLUMN))
    return shown.flatMap((group) => {
      const segments = present(this.audio, group)
      if (!segments.length) return []
      const [x0, x1] = [Math.max(axis.left, axis.x(group.start)), Math.min(axis.left + axis.width, axis.x(group.end))]
      const from = axis.x(group.start)
      const whole = axis.x(group.end) - from
      const columns = rows[0].length
      const count = group.first === group.last ? Math.max(1, Math.min(columns, Math.floor(whole / COLUMN))) : 1
      for (let j = 0; j < count; j++) {
        const range = [Math.floor((j * columns) / count), Math.floor(((j + 1) * columns) / count)]
        const left = Math.max(x0, from + (whole * range[0]) / columns)
        const right = Math.min(x1, from + (whole * range[1]) / columns)
        if (right <= left) continue
        for (let r = 0; r < this.bands; r++) { // low ones below
          fill(mean(segments, [r, r + 1], range), left, top + (this.bands - 1 - r) * this.band, right - left, this.band)
        }
      }
      return x1 > x0 ? [svg('rect', { class: 'heard', x: x0, y: top, width: x1 - x0, height: this.bands * this.band })] : []
    })
  }

  isWithWords({ first, last }) { return this.report.masks.with_words.slice(first, last + 1).some(Boolean) }

  /** What is picked at a time, in words; of the group of segments that the picture is of. */
  describe(axis, time) {
    const group = groups(this.report, axis, this.size(axis)).findLast(({ start }) => start <= time)
    if (!group) return []
    const total = group.last - group.first + 1
    const withWords = this.report.masks.with_words.slice(group.first, group.last + 1).filter(Boolean).length
    const lines = [`${clock(group.start, true)} to ${clock(group.end, true)}`]
    if (total > 1) lines[0] += `, mean of ${total} segments, ${withWords} of them with verified words`
    else lines.push(withWords ? 'Its verified words take part in the choice.' : 'No verified word: the segment’s own attention chooses.')
    if (this.visual && present(this.visual, group).length) lines.push(`Picture: most in the ${this.most(present(this.visual, group), PICTURE_PLACES)}`)
    if (this.audio && present(this.audio, group).length) lines.push(`Sound: most in the ${this.most(present(this.audio, group), [BANDS, ['']])} bands`)
    return lines
  }

  /** The part that is picked most, of as many as there are names. */
  most(segments, [vertical, horizontal]) {
    const [height, width] = [segments[0].length, segments[0][0].length]
    const part = (k, count, extent) => {
      const from = Math.min(extent - 1, Math.floor((k * extent) / count))
      return [from, Math.max(from + 1, Math.floor(((k + 1) * extent) / count))]
    }
    const found = vertical.flatMap((v, i) => horizontal.map((h, j) => ({
      name: [v, h].filter(Boolean).join(' '),
      share: mean(segments, part(i, vertical.length, height), part(j, horizontal.length, width)) / 9,
    })))
    const best = found.reduce((a, b) => (b.share > a.share ? b : a))
    return `${best.name} (${percent(best.share)} of its patches)`
  }
}
