// The probability of each class over time.

import { svg, textWidth } from './dom.js'
import { visibleSegments } from './segments.js'

const LINE_HEIGHT = 13
const PIXELS_OF_MARKS = 16 // points closer than this are not marked
let clips = 0

/** Pixels that the names of so many classes need. */
export const heightOfNames = (count) => (count + 1) * LINE_HEIGHT

/** The highest value of the vertical axis that reports share. */
export function ceiling(reports) {
  let top = 0
  for (const report of reports) {
    for (const part of report.segments) top = Math.max(top, ...part.distribution)
  }
  return Math.max(0.2, Math.min(1, Math.ceil(top * 10 - 1e-6) / 10))
}

/** Draw into `node`; `right` pixels on the right are for names. */
export function drawCurve(node, report, axis, palette, { height, top, right }) {
  const y = (value) => 8 + (height - 16) * (1 - value / top)
  const { groups, size } = visibleSegments(report, axis)
  const clip = `clip${clips++}`
  node.setAttribute('height', height)
  const end = axis.left + axis.width
  const parts = [
    svg('clipPath', { id: clip }, svg('rect', { x: axis.left - 5, y: 0, width: axis.width + 10, height })),
  ]
  for (let value = 0; value <= top + 1e-9; value += top > 0.6 ? 0.2 : 0.1) {
    parts.push(svg('line', { class: 'grid', x1: axis.left, x2: end, y1: y(value), y2: y(value) }))
    const name = svg('text', { class: 'soft', x: axis.left - 6, y: y(value) + 4, 'text-anchor': 'end' })
    name.textContent = value.toFixed(1)
    parts.push(name)
  }
  if (size === 1 && groups.length * PIXELS_OF_MARKS < axis.width) {
    for (const part of groups.slice(1)) {
      const x = axis.x(part.start)
      if (x >= axis.left && x <= end) parts.push(svg('line', { class: 'edge', x1: x, x2: x, y1: 8, y2: height - 8 }))
    }
  }
  const lines = svg('g', { 'clip-path': `url(#${clip})` })
  const labels = []
  const shown = report.classes.map((name, k) => [name, k]).filter(([name]) => !palette.hidden.has(name))
  for (const [name, k] of shown) {
    const { colour, dash, shape } = palette.of(name)
    const points = groups.map((part) => [axis.x((part.start + part.end) / 2), y(part.distribution[k])])
    if (!points.length) continue
    const outline = [[axis.x(groups[0].start), points[0][1]], ...points, [axis.x(groups.at(-1).end), points.at(-1)[1]]]
    lines.append(svg('polyline', {
      class: `line ${colour}`, 'stroke-dasharray': dash, points: outline.map((p) => p.map((v) => v.toFixed(1))).join(' '),
    }))
    if (axis.width / groups.length >= PIXELS_OF_MARKS) {
      for (const [px, py] of points) {
        lines.append(svg('path', { class: `mark ${colour}`, d: shape, transform: `translate(${px} ${py})` }))
      }
    }
    labels.push({ name, colour, wanted: heightAt(outline, end) })
  }
  parts.push(lines)
  parts.push(...directLabels(labels, end, height, right))
  node.replaceChildren(...parts)
  return size
}

function heightAt(outline, x) {
  for (let i = 1; i < outline.length; i++) {
    const [[x0, y0], [x1, y1]] = [outline[i - 1], outline[i]]
    if (x1 >= x) return x1 === x0 ? y1 : y0 + ((y1 - y0) * (x - x0)) / (x1 - x0)
  }
  return outline.at(-1)[1]
}

/** Names at the ends of the lines, pushed apart where lines end close together. */
function directLabels(labels, end, height, right) {
  labels.sort((a, b) => a.wanted - b.wanted)
  let lowest = LINE_HEIGHT / 2 - LINE_HEIGHT
  for (const label of labels) lowest = label.y = Math.max(label.wanted, lowest + LINE_HEIGHT)
  let limit = height - 2 + LINE_HEIGHT / 2
  for (const label of [...labels].reverse()) limit = label.y = Math.min(label.y, limit - LINE_HEIGHT)
  return labels.flatMap(({ name, colour, wanted, y }) => {
    const text = svg('text', { x: end + 20, y: y + 4, class: 'name' })
    const most = Math.floor((name.length * (right - 20)) / textWidth(name))
    text.textContent = most < name.length ? `${name.slice(0, most - 1)}…` : name
    return [
      svg('path', { class: `leader ${colour}`, d: `M${end + 2} ${wanted}L${end + 9} ${y}` }),
      svg('line', { class: `line ${colour}`, x1: end + 9, x2: end + 17, y1: y, y2: y }),
      text,
    ]
  })
}
