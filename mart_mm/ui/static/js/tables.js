// The same in words: segments and words as tables, filled when they are opened.

import { clock, html, percent, sentimentName } from './dom.js'
import { levelClass, verdict } from './words.js'

const LEVELS = { found: 'found', e1: 'E1', e2: 'E2', e3: 'E3', unverified: 'not verified' }

export function tables({ report, title }) {
  return [
    table(`Segments of ${title}`, [
      ['from', 'number'], ['to', 'number'], ['emotion'], ['sentiment'], ['degree', 'number'],
      ...report.classes.map((name) => [name, 'number']), ['said', 'text'],
    ], () => report.segments.map((part) => [
      clock(part.start, true), clock(part.end, true), part.emotion, sentimentName(part.sentiment),
      part.degree.toFixed(2), ...part.distribution.map(percent), part.text,
    ])),
    table(`Words of ${title}`, [
      ['from', 'number'], ['word'], ['concept'], ['sentiment'], ['emotion'], ['reached'], ['why', 'text'],
    ], () => report.words.map((word) => [
      clock(word.start, true), word.word, word.concept, sentimentName(word.polarity), word.emotion ?? '',
      LEVELS[levelClass(word)], verdict(word, report),
    ])),
  ]
}

function table(name, columns, rows) {
  const node = html('details', { class: 'card' }, html('summary', { text: name }))
  node.addEventListener('toggle', () => {
    if (!node.open || node.children.length > 1) return
    const head = html('tr', {}, ...columns.map(([text, kind]) => html('th', { text, class: kind, scope: 'col' })))
    const body = html('tbody', {}, ...rows().map((row) => html('tr', {}, ...row.map((text, i) => (
      html('td', { text, class: columns[i][1] }))))))
    node.append(html('div', { class: 'scrolls', tabindex: '0', role: 'region', 'aria-label': name },
      html('table', {}, html('caption', { text: name }), html('thead', {}, head), body)))
  })
  return node
}
