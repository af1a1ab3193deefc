// Words below the curve: a box each at its time, or bars that count them where boxes do not fit.

import { clock, html, sentimentName, textWidth } from './dom.js'

const LANE = 24 // pixels
const MOST_LANES = 8
const BIN = 22 // pixels
const BAR = 64 // pixels of the tallest bar
const LEVELS = ['found', 'e1', 'e2', 'e3']
export const LEVEL_NAMES = ['found in the lexicon', 'E1 sentiment', 'E2 emotion', 'E3 degree']

export const levelClass = (word) => (word.level == null ? 'unverified' : LEVELS[word.level])

/** What became of a word, in a sentence. */
export function verdict(word, report) {
  if (word.level == null) return 'Not verified: this model verifies no words.'
  const segment = report.segments[word.segment]
  const reached = ['Found in the lexicon', 'Passed E1', 'Passed E2', 'Passed E3'][word.level]
  if (word.dropped === 'sentiment') {
    return `${reached}, dropped at E1: its sentiment is ${sentimentName(word.polarity)}, the segment's ${sentimentName(segment.sentiment)}.`
  }
  if (word.dropped === 'emotion') {
    return `${reached}, dropped at E2: its emotion is ${word.emotion ?? 'none'}, the segment's ${segment.emotion}.`
  }
  if (word.dropped === 'degree') {
    const index = report.classes.indexOf(word.emotion)
    const degrees = index < 0 ? '' : ` (${word.affect[index].toFixed(2)} and ${segment.distribution[index].toFixed(2)} of ${word.emotion})`
    return `${reached}, dropped at E3: its degree is too far from the segment's${degrees}.`
  }
  return 'Verified: it agrees with its segment at E1, E2 and E3.'
}

export function describe(word, report) {
  const concept = word.concept && word.concept !== word.word ? ` (${word.concept})` : ''
  return [
    `${word.word}${concept}, ${clock(word.start, true)} to ${clock(word.end, true)}`,
    `Lexicon: ${sentimentName(word.polarity)}, ${word.emotion ?? 'no emotion of this list'}`,
    verdict(word, report),
  ]
}

export class WordTrack {
  /** @param actions `seek(time)`, `zoomTo(start, end)`, `reveal(time)`, `tell(node, lines)`, `hush()` */
  constructor(report, actions) {
    this.report = report
    this.actions = actions
    this.chosen = 0 // the word that the tab key goes to
    this.scale = 0
    this.node = html('div', { class: 'words', role: 'group', 'aria-label': 'Words, by the verification level they reached' })
    this.node.addEventListener('keydown', (event) => this.onKey(event))
  }

  /** Lanes of all words at a scale; the words' own times decide where they begin. */
  place(axis) {
    if (axis.scale === this.scale) return
    this.scale = axis.scale
    const ends = []
    this.lanes = this.report.words.map((word) => {
      const start = word.start * axis.scale
      const width = Math.max(textWidth(word.word) + 15, (word.end - word.start) * axis.scale)
      let lane = ends.findIndex((end) => end <= start)
      if (lane < 0) lane = ends.length
      if (lane >= MOST_LANES) return null
      ends[lane] = start + width + 2
      return { lane, width }
    })
    this.numLanes = ends.length
  }

  draw(axis, width) {
    const { words } = this.report
    this.axis = axis
    this.place(axis)
    const inView = []
    words.forEach((word, index) => {
      if (word.end >= axis.start && word.start <= axis.end) inView.push(index)
    })
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.index : null
    const isCrowded = inView.some((index) => !this.lanes[index])
    this.node.style.setProperty('height', `${isCrowded ? BAR + 4 : Math.max(1, this.numLanes) * LANE + 2}px`)
    this.node.style.setProperty('width', `${width}px`)
    if (!words.length) {
      this.node.replaceChildren(html('span', { class: 'none', text: 'No word that the lexicon knows.' }))
    } else if (isCrowded) {
      this.node.replaceChildren(...this.bars(inView, axis))
    } else {
      this.node.replaceChildren(...inView.map((index) => this.box(index, axis)))
      const stop = this.node.querySelector(`[data-index="${this.chosen}"]`) ?? this.node.firstElementChild
      stop?.setAttribute('tabindex', '0')
    }
    if (focused != null) this.node.querySelector(`[data-index="${focused}"]`)?.focus({ preventScroll: true })
    return isCrowded
  }

  box(index, axis) {
    const word = this.report.words[index]
    const { lane, width } = this.lanes[index]
    const lines = describe(word, this.report)
    const node = html('button', {
      type: 'button', class: `word ${levelClass(word)}`, tabindex: '-1', text: word.word, 'data-index': index,
      'data-start': word.start, 'aria-label': lines.join('. '),
      onclick: (event) => { event.stopPropagation(); this.chosen = index; this.actions.seek(word.start) },
      onpointerenter: () => this.actions.tell(node, lines), onpointerleave: () => this.actions.hush(),
      onfocus: () => this.actions.tell(node, lines), onblur: () => this.actions.hush(),
    })
    node.style.setProperty('left', `${axis.x(word.start)}px`)
    node.style.setProperty('top', `${lane * LANE + 1}px`)
    node.style.setProperty('width', `${width}px`)
    return node
  }

  bars(inView, axis) {
    const seconds = BIN / axis.scale
    const bins = new Map()
    for (const index of inView) {
      const number = Math.floor(this.report.words[index].start / seconds)
      if (!bins.has(number)) bins.set(number, [0, 0, 0, 0, 0])
      bins.get(number)[this.report.words[index].level ?? 4] += 1
    }
    const most = Math.max(...[...bins.values()].map((counts) => counts.reduce((a, b) => a + b)))
    return [...bins].map(([number, counts]) => {
      const [start, end] = [number * seconds, (number + 1) * seconds]
      const total = counts.reduce((a, b) => a + b)
      const lines = [`${clock(start)} to ${clock(end)}: ${total} words`]
      const names = [...LEVEL_NAMES, 'not verified']
      counts.forEach((count, level) => { if (count) lines.push(`${names[level]}: ${count}`) })
      const node = html('button', {
        type: 'button', class: 'bin', 'data-index': `bin${number}`, 'aria-label': `${lines.join(', ')}. Zoom in.`,
        onclick: (event) => { event.stopPropagation(); this.actions.zoomTo(start, end) },
        onpointerenter: () => this.actions.tell(node, [...lines, 'Click to zoom in.']),
        onpointerleave: () => this.actions.hush(),
        onfocus: () => this.actions.tell(node, lines), onblur: () => this.actions.hush(),
      })
      counts.forEach((count, level) => {
        if (!count) return
        const part = html('i', { class: LEVELS[level] ?? 'unverified' })
        part.style.setProperty('height', `${Math.max(2, (count / most) * (BAR - 6))}px`)
        node.append(part)
      })
      node.style.setProperty('left', `${axis.x(start)}px`)
      node.style.setProperty('width', `${BIN - 3}px`)
      return node
    })
  }

  onKey(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const index = Number(event.target.dataset.index)
    if (!step || Number.isNaN(index)) return
    event.preventDefault()
    event.stopPropagation()
    const next = index + step
    if (!this.report.words[next]) return
    this.chosen = next
    this.actions.reveal(this.report.words[next].start)
    this.node.querySelector(`[data-index="${next}"]`)?.focus()
  }
}
