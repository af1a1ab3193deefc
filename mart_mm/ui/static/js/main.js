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
  let config
  try {
    config = await api.config()
  } catch (error) {
    fail(error)
    return
  }
  const names = new Map(config.videos.map(({ id, name }) => [id, name]))
  const results = new Results(config, fail)
  let awaited = [] // jobs that are shown when they are finished
  const jobs = new Jobs((all) => {
    const done = all.filter((job) => job.kind === 'analysis' && job.state === 'done')
    results.offer(done.map((job) => ({ ...job, title: `${names.get(job.video) ?? 'video'}, ${job.name}` })))
    const mine = all.filter(({ id }) => awaited.includes(id))
    if (mine.length && mine.every(isFinished)) {
      awaited = []
      const [a, b] = mine.filter(({ state }) => state === 'done')
      if (a) results.open(a.id, b?.id).then(showResults)
    }
  }, fail)
  new Form(config, (video, started) => {
    names.set(video.id, video.name)
    for (const job of started) jobs.titles.set(job.id, `${video.name}, ${job.name}`)
    awaited = started.map(({ id }) => id)
    jobs.watch()
  }, fail)
  for (const job of config.jobs) jobs.titles.set(job.id, `${names.get(job.video) ?? 'video'}, ${job.name}`)
  await jobs.watch()
  const [a, b] = location.hash.slice(1).split(',')
  if (results.done.some(({ id }) => id === a)) await results.open(a, b)
}

start()
