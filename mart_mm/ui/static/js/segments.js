// Segments as they are drawn: each by itself, or groups of them where the screen has too few pixels.

const PIXELS = 4 // between points, at least

export function segmentAt(report, time) {
  const { segments } = report
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (segments[middle].start <= time) low = middle
    else high = middle - 1
  }
  return segments[low]
}

function merge(group) {
  if (group.length === 1) return group[0]
  const seconds = group.map((part) => Math.max(1e-6, part.end - part.start))
  const total = seconds.reduce((a, b) => a + b)
  const mean = (value) => group.reduce((sum, part, i) => sum + value(part) * seconds[i], 0) / total
  const distribution = group[0].distribution.map((_, k) => mean((part) => part.distribution[k]))
  const shares = [-1, 0, 1].map((sign) => mean((part) => Number(part.sentiment === sign)))
  return {
    start: group[0].start,
    end: group.at(-1).end,
    distribution,
    sentiment: shares.indexOf(Math.max(...shares)) - 1,
    degree: mean((part) => part.degree),
    emotion: '',
  }
}

/** Segments in view and one on either side, in groups of `size`; groups do not change while scrolling. */
export function visibleSegments(report, axis) {
  const { segments } = report
  const inView = segments.filter((part) => part.end >= axis.start && part.start <= axis.end).length
  const size = Math.max(1, 2 ** Math.ceil(Math.log2((inView * PIXELS) / axis.width)))
  const groups = []
  for (let first = 0; first < segments.length; first += size) {
    const last = Math.min(first + size, segments.length) - 1
    const isNear = segments[Math.min(segments.length - 1, last + size)].end >= axis.start
    if (isNear && segments[Math.max(0, first - size)].start <= axis.end) {
      groups.push(merge(segments.slice(first, last + 1)))
    }
  }
  return { groups, size }
}

/** Share of the time that two reports name the same emotion in. */
export function agreement(a, b) {
  const edges = [...new Set([...a.segments, ...b.segments].flatMap((part) => [part.start, part.end]))]
  edges.sort((x, y) => x - y)
  const end = Math.min(a.segments.at(-1).end, b.segments.at(-1).end)
  let same = 0
  let total = 0
  for (let i = 1; i < edges.length && edges[i] <= end + 1e-6; i++) {
    const middle = (edges[i - 1] + edges[i]) / 2
    total += edges[i] - edges[i - 1]
    if (segmentAt(a, middle).emotion === segmentAt(b, middle).emotion) same += edges[i] - edges[i - 1]
  }
  return total ? same / total : 0
}
