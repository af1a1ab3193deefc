// Jobs that are not finished, and those that failed.

import * as api from './api.js'
import { find, html, percent } from './dom.js'

const WAIT = 400 // milliseconds between questions
const WAIT_LOST = 2000 // the same, while the server does not answer
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
export const isFinished = ({ state }) => ['done', 'failed', 'cancelled'].includes(state)

export class Jobs {
  /** @param onChange told all jobs whenever something may have changed */
  constructor(onChange, fail) {
    Object.assign(this, { onChange, fail })
    this.titles = new Map()
    this.rows = new Map()
    this.dismissed = new Set()
  }

  /** Ask until all is finished. */
  async watch() {
    this.isStale = true // what was asked before now may miss a job
    if (this.isWatching) return
    this.isWatching = true
    try {
      for (;;) {
        this.isStale = false
        const jobs = await this.ask()
        if (this.isStale) continue
        this.draw(jobs)
        this.onChange(jobs)
        if (jobs.every(isFinished) && !this.isStale) break
        await pause(WAIT)
      }
    } catch (error) {
      this.fail(error)
    } finally {
      this.isWatching = false
    }
  }

  /** All jobs, however long the server takes to answer. */
  async ask() {
    for (let isLost = false; ;) {
      try {
        const jobs = await api.jobs()
        if (isLost) this.fail(null)
        return jobs
      } catch (error) {
        if (!isLost) this.fail(error)
        isLost = true
        await pause(WAIT_LOST)
      }
    }
  }

  draw(jobs) {
    const wanted = jobs.filter((job) => job.kind === 'analysis' && job.state !== 'done'
      && job.state !== 'cancelled' && !this.dismissed.has(job.id))
    for (const [id, row] of this.rows) {
      if (!wanted.some((job) => job.id === id)) {
        row.node.remove()
        this.rows.delete(id)
      }
    }
    for (const job of wanted) {
      if (!this.rows.has(job.id)) this.rows.set(job.id, this.row(job))
      this.rows.get(job.id).update(job)
    }
  }

  row(job) {
    const bar = html('progress', { max: 1, value: 0, 'aria-label': 'Progress' })
    const state = html('span', { role: 'status' })
    const button = html('button', { type: 'button', class: 'quiet', text: 'Cancel' })
    const error = html('p', { class: 'error', role: 'alert', hidden: true })
    const node = html('li', { class: 'job', 'data-job': job.id },
      html('span', { text: this.titles.get(job.id) ?? job.name }), bar, state, button, error)
    find('jobs').append(node)
    let last = job
    button.addEventListener('click', () => {
      if (last.state === 'failed') {
        this.dismissed.add(job.id)
        this.rows.delete(job.id)
        node.remove()
      } else {
        button.disabled = true
        api.cancel(job.id).then(() => this.watch(), this.fail)
      }
    })
    const update = (now) => {
      last = now
      const hasFailed = now.state === 'failed'
      bar.value = now.progress
      node.classList.toggle('failed', hasFailed)
      state.textContent = {
        queued: 'waiting for its turn', failed: 'failed', cancelling: 'stopping',
      }[now.state] ?? `${percent(now.progress)} ${now.message}`
      button.textContent = hasFailed ? 'Dismiss' : 'Cancel'
      if (hasFailed) button.disabled = false
      error.hidden = !hasFailed
      error.textContent = now.error
    }
    return { node, update }
  }
}
