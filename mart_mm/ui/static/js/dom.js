// Elements and words. Everything that comes from a file is set as text, never as markup.

const SVG = 'http://www.w3.org/2000/svg'

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value
    else if (name.startsWith('on')) node.addEventListener(name.slice(2), value)
    else if (value === true) node.setAttribute(name, '')
    else if (value !== false && value != null) node.setAttribute(name, value)
  }
  node.append(...children)
  return node
}

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children)
}

export const find = (id) => document.getElementById(id)

/** Seconds as 1:02:03.4; tenths only where asked for. */
export function clock(seconds, tenths = false) {
  const step = tenths ? 10 : 1
  const whole = Math.floor(Math.max(0, seconds) * step + 1e-6) / step
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const rest = (whole % 60).toFixed(tenths ? 1 : 0).padStart(tenths ? 4 : 2, '0')
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}

export const percent = (share) => `${Math.round(share * 100)} %`
export const sentimentName = (sign) => ({ '-1': 'negative', 0: 'neutral', 1: 'positive' })[sign]
export const sentimentClass = (sign) => ({ '-1': 'minus', 0: 'zero', 1: 'plus' })[sign]

export function bytes(size) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB']
  const power = Math.min(3, Math.floor(Math.log2(Math.max(1, size)) / 10))
  return `${(size / 1024 ** power).toFixed(power && size / 1024 ** power < 10 ? 1 : 0)} ${units[power]}`
}

const ruler = document.createElement('canvas').getContext('2d')
const widths = new Map()

/** Pixels of a text as words and names are written. */
export function textWidth(text) {
  if (!widths.has(text)) {
    ruler.font = '12px system-ui, "Segoe UI", "Liberation Sans", sans-serif'
    widths.set(text, ruler.measureText(text).width)
  }
  return widths.get(text)
}
