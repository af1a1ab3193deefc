// Sentiment (colour and sign) and degree (height) of each segment, with its emotion where it fits.

import { sentimentClass, svg } from './dom.js'
import { visibleSegments } from './segments.js'

const SIGNS = { '-1': '−', 0: '0', 1: '+' }
const NAMES = 16 // pixels on top that are for names

export function drawStrip(node, report, axis, { height }) {
  const { groups, size } = visibleSegments(report, axis)
  node.setAttribute('height', height)
  const room = height - NAMES
  const parts = [svg('line', { class: 'grid', x1: axis.left, x2: axis.left + axis.width, y1: height - 0.5, y2: height - 0.5 })]
  for (const part of groups) {
    const x0 = Math.max(axis.left, axis.x(part.start))
    const x1 = Math.min(axis.left + axis.width, axis.x(part.end))
    if (x1 <= x0) continue
    const gap = size === 1 && x1 - x0 > 4 ? 1 : 0
    const bar = Math.max(2, room * part.degree)
    parts.push(svg('rect', {
      class: sentimentClass(part.sentiment), x: x0, y: height - bar, width: Math.max(1, x1 - x0 - gap), height: bar,
    }))
    if (x1 - x0 >= 14) {
      const isTall = bar >= 13
      const sign = svg('text', { class: isTall ? 'in' : 'soft', x: (x0 + x1) / 2, y: isTall ? height - 3 : height - bar - 2, 'text-anchor': 'middle' })
      sign.textContent = SIGNS[part.sentiment]
      parts.push(sign)
    }
  }
  for (const { emotion, start, end } of runs(report.segments, axis)) {
    const [x0, x1] = [Math.max(axis.left, axis.x(start)), Math.min(axis.left + axis.width, axis.x(end))]
    if (emotion.length * 6.6 + 4 > x1 - x0) continue
    const name = svg('text', { x: (x0 + x1) / 2, y: 11, 'text-anchor': 'middle' })
    name.textContent = emotion
    parts.push(name, svg('line', { class: 'edge', x1: x1 - 1, x2: x1 - 1, y1: 2, y2: NAMES }))
  }
  node.replaceChildren(...parts)
}

/** Stretches in view that one emotion lasts. */
function runs(segments, axis) {
  const found = []
  for (const { emotion, start, end } of segments) {
    if (end < axis.start || start > axis.end) continue
    if (found.at(-1)?.emotion === emotion) found.at(-1).end = end
    else found.push({ emotion, start, end })
  }
  return found
}
