// Sentiment (colour and sign) and degree (height) of each segment, with its emotion where it fits.

import { svg } from './dom.js'
import { visibleSegments } from './segments.js'
import { sentimentClass } from './dom.js'

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
    if (part.emotion && part.emotion.length * 6.4 + 4 <= x1 - x0) {
      const name = svg('text', { x: (x0 + x1) / 2, y: 11, 'text-anchor': 'middle' })
      name.textContent = part.emotion
      parts.push(name)
    }
  }
  node.replaceChildren(...parts)
}
