// Wires form, jobs and results together.

import * as api from './api.js'
import { find } from './dom.js'
import { Form } from './form.js'
import { Jobs, isFinished } from './jobs.js'
import { Results } from './results.js'
import { startTheme } from './theme.js'

function fail(error) {
  find('error').hidden = !error
  find('error').textContent = error?.message ?? ''
  if (error) find('error').scrollIntoView({ block: 'nearest' })
}

function showResults() {
  find('results').scrollIntoView({ block: 'start' })
  find('results-title').focus({ preventScroll: true })
}

async function start() {
  startTheme()
  const names = new Map() // id of a video -> its name
  let jobs
  let awaited = [] // jobs that are shown when they are finished
  const form = new Form((video, started) => {
    names.set(video.id, video.name)
    for (const job of started) jobs.titles.set(job.id, `${video.name}, ${job.name}`)
    awaited = started.map(({ id }) => id)
    jobs.watch()
  }, fail)
  let config
  try {
    config = await api.config()
  } catch (error) {
    fail(error)
    return
  }
  for (const { id, name } of config.videos) names.set(id, name)
  const results = new Results(config, fail)
  let remembered = location.hash.slice(1).split(',')
  jobs = new Jobs((all) => {
    const done = all.filter((job) => job.kind === 'analysis' && job.state === 'done')
    results.offer(done.map((job) => ({ ...job, title: `${names.get(job.video) ?? 'video'}, ${job.name}` })))
    const [a, b] = remembered
    remembered = []
    if (done.some(({ id }) => id === a)) results.open(a, b)
    const mine = all.filter(({ id }) => awaited.includes(id))
    if (mine.length && mine.every(isFinished)) {
      awaited = []
      const [first, second] = mine.filter(({ state }) => state === 'done')
      if (first) results.open(first.id, second?.id).then(showResults)
    }
  }, fail)
  for (const job of config.jobs) jobs.titles.set(job.id, `${names.get(job.video) ?? 'video'}, ${job.name}`)
  form.offer(config)
  jobs.watch()
}

start()
