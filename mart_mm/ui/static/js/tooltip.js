// One small window of values for everything that is pointed at or focused.

import { find, html } from './dom.js'

function show(lines, values, place) {
  const node = find('tooltip')
  const rows = values.map(([name, value]) => html('tr', {}, html('td', { text: name }), html('td', { text: value })))
  node.replaceChildren(...lines.map((text) => html('p', { text })), ...(rows.length ? [html('table', {}, ...rows)] : []))
  node.hidden = false
  const { width, height } = node.getBoundingClientRect()
  const [x, y] = place(width, height)
  node.style.setProperty('left', `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`)
  node.style.setProperty('top', `${Math.max(8, Math.min(y, innerHeight - height - 8))}px`)
}

export function tellAt(x, y, lines, values = []) {
  show(lines, values, (width) => [x + 16 + width > innerWidth ? x - width - 16 : x + 16, y + 12])
}

export function tellBeside(node, lines) {
  const box = node.getBoundingClientRect()
  show(lines, [], (_, height) => [box.left, box.bottom + 6 + height > innerHeight ? box.top - height - 6 : box.bottom + 6])
}

export function hush() { find('tooltip').hidden = true }
