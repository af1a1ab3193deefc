// What a report says of the whole video, and at the cursor; its classes are the legend too.

import * as api from './api.js'
import { clock, html, percent, sentimentName, textWidth } from './dom.js'
import { segmentAt } from './segments.js'

const FORMAT_NAMES = {
  json: 'JSON', csv: 'CSV', srt: 'Subtitles', eaf: 'ELAN', labelstudio: 'Label Studio', overlay: 'Video with curve',
}
const NAME_SIZE = 1.25 // against the size that widths of texts are measured in
const WAIT = 700 // milliseconds between questions

export class Summary {
  /** @param onToggle called when a class is shown or hidden */
  constructor({ report, title, job }, palette, formats, slowFormats, onToggle) {
    this.report = report
    this.rows = report.classes.map((name, k) => this.row(name, k, palette, onToggle))
    const model = [report.model.name, report.model.checkpoint, report.model.sha256].filter(Boolean).join(', ')
    this.node = html('section', { class: 'card summary', 'data-job': job },
      html('h3', { text: title }),
      html('p', { class: 'big' }, html('strong', { text: report.emotion }),
        `, ${sentimentName(report.sentiment)}`),
      html('p', { class: 'hint', text: [
        clock(report.duration, true), `${report.segments.length} segments`, `${report.words.length} words`,
        report.has_sound ? 'with sound' : 'without sound',
        report.transcript_source ? `transcript: ${report.transcript_source}` : 'no transcript', model,
      ].filter(Boolean).join(' · ') }),
      ...(report.warnings.length
        ? [html('ul', { class: 'warnings' }, ...report.warnings.map((text) => html('li', { text })))] : []),
      html('div', { class: 'classes-head' }, html('span', { text: 'emotion' }), html('span', { text: 'at the cursor' }),
        html('span', { text: 'now' }), html('span', { text: 'video' })),
      html('ul', { class: 'classes' }, ...this.rows.map((row) => row.node)),
      html('div', { class: 'downloads' }, 'Save:', ...formats.map((name) => (
        slowFormats.includes(name) ? slowExport(job, name) : link(job, name)))))
    this.widen()
  }

  // A row is a grid of its own: all give the longest name its room.
  widen() {
    const longest = Math.max(...this.report.classes.map(textWidth)) * NAME_SIZE
    this.node.style.setProperty('--names', `${Math.min(180, longest + 44)}px`)
  }

  row(name, k, palette, onToggle) {
    const bar = html('i')
    const value = html('span', { class: 'value' })
    const button = html('button', {
      type: 'button', 'aria-pressed': String(!palette.hidden.has(name)), title: 'Show or hide its line',
      onclick: () => {
        if (!palette.hidden.delete(name)) palette.hidden.add(name)
        onToggle()
      },
    }, palette.sample(name), html('span', { text: name }))
    const update = () => button.setAttribute('aria-pressed', String(!palette.hidden.has(name)))
    const node = html('li', { class: palette.of(name).colour }, button, html('div', { class: 'meter' }, bar), value,
      html('span', { class: 'value', text: percent(this.report.scores[k]) }))
    return { node, bar, value, k, update }
  }

  /** Values at a time. */
  show(time) {
    const part = segmentAt(this.report, time)
    if (part === this.part) return
    this.part = part
    for (const { bar, value, k } of this.rows) {
      bar.style.setProperty('transform', `scaleX(${part.distribution[k]})`)
      value.textContent = percent(part.distribution[k])
    }
  }

  update() { for (const row of this.rows) row.update() }
}

function link(job, name) {
  return html('a', { href: api.exportUrl(job, name), download: '', text: FORMAT_NAMES[name] ?? name, 'data-format': name })
}

function slowExport(job, name) {
  const label = FORMAT_NAMES[name] ?? name
  const node = html('button', { type: 'button', text: `${label} (make)`, 'data-format': name })
  node.addEventListener('click', async () => {
    node.disabled = true
    try {
      let made = await api.makeExport(job, name)
      while (['queued', 'running', 'cancelling'].includes(made.state)) {
        node.textContent = `${label}: ${made.state === 'queued' ? 'waiting' : percent(made.progress)}`
        await new Promise((resolve) => setTimeout(resolve, WAIT))
        made = (await api.jobs()).find(({ id }) => id === made.id) ?? { state: 'failed', error: 'it is gone' }
      }
      if (made.state !== 'done') throw new Error(made.error || 'it was cancelled')
      const ready = link(job, name)
      node.replaceWith(ready)
      ready.click()
    } catch (error) {
      node.disabled = false
      node.textContent = `${label} (try again)`
      node.title = error.message
      node.after(html('span', { class: 'error', role: 'alert', text: `${label}: ${error.message}` }))
    }
  })
  return node
}
