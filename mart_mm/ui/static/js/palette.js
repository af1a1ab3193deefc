// How a class looks: colour, dashes and the shape of its points, so that colour alone decides nothing.

import { svg } from './dom.js'

const COLOURS = 8
const DASHES = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 2', '1 3', '6 2 1 2 1 2']
const SHAPES = [
  'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z',
  'M-3 -3H3V3H-3Z',
  'M0 -4.2L4 3H-4Z',
  'M0 -4.4L4.4 0L0 4.4L-4.4 0Z',
  'M-4 -3H4L0 4.2Z',
]

export class Palette {
  /** @param names of all classes on the page; the same name looks the same everywhere */
  constructor(names) {
    this.looks = new Map(
      [...new Set(names)].map((name, index) => [name, {
        colour: `c${index % COLOURS}`,
        dash: DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length],
        shape: SHAPES[index % SHAPES.length],
      }]),
    )
    this.hidden = new Set()
  }

  of(name) { return this.looks.get(name) }

  /** A short piece of the class's line. */
  sample(name, width = 26) {
    const { colour, dash, shape } = this.of(name)
    return svg('svg', { width, height: 12, viewBox: `0 0 ${width} 12`, class: colour, 'aria-hidden': 'true' },
      svg('line', { x1: 0, x2: width, y1: 6, y2: 6, class: 'line', 'stroke-dasharray': dash }),
      svg('path', { d: shape, class: 'mark', transform: `translate(${width / 2} 6)` }))
  }
}
