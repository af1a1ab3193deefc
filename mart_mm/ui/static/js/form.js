// What is to be analysed: a file or one of the folder, a transcript, and models.

import * as api from './api.js'
import { bytes, find, html, percent } from './dom.js'

export class Form {
  /**
   * Files may be chosen from now on; they can be analysed when the server has said what it offers.
   * @param onStart told the video and the jobs that were started
   */
  constructor(onStart, fail) {
    Object.assign(this, { onStart, fail })
    this.file = null
    this.uploaded = new Map() // file -> video
    this.sent = new Map() // id of a video -> its transcript
    this.listen()
    this.choose(find('file').files[0]) // chosen before this script ran
  }

  /** Show what the server offers. */
  offer(config) {
    this.config = config
    find('drop-hint').textContent =
      `${config.video_suffixes.join(' ')}, up to ${bytes(config.max_upload_bytes)}; it goes to this server only`
    find('file').accept = ['video/*', ...config.video_suffixes].join()
    find('transcript').accept = config.transcript_suffixes.join()
    this.offerModels()
    this.offerFolder()
    find('analyse').disabled = false
  }

  offerModels() {
    const { models } = this.config
    find('models').replaceChildren(...models.map((name, i) => html('label', {},
      html('input', { type: 'checkbox', name: 'model', value: name, checked: i === 0 }), name)))
    find('models-field').hidden = models.length < 2
  }

  offerFolder() {
    const videos = this.config.videos.filter((video) => !video.is_upload)
    find('folder-field').hidden = !videos.length
    find('folder').append(...videos.map((video) => html('option', {
      value: video.id, text: `${video.name} (${bytes(video.size)})`,
    })))
  }

  listen() {
    const drop = find('drop')
    find('file').addEventListener('change', () => this.choose(find('file').files[0]))
    find('folder').addEventListener('change', () => { if (find('folder').value) this.choose(null) })
    for (const name of ['dragover', 'dragenter']) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add('over') })
    }
    drop.addEventListener('dragleave', () => drop.classList.remove('over'))
    document.addEventListener('dragover', (event) => event.preventDefault())
    document.addEventListener('drop', (event) => {
      event.preventDefault()
      drop.classList.remove('over')
      if (event.dataTransfer.files.length) this.choose(event.dataTransfer.files[0])
    })
    find('form').addEventListener('submit', (event) => {
      event.preventDefault()
      this.submit()
    })
  }

  choose(file) {
    this.file = file ?? null
    if (file) find('folder').value = ''
    find('drop-title').textContent = file ? `${file.name} (${bytes(file.size)})` : 'Drop a video here, or choose a file'
    this.fail(null)
  }

  async submit() {
    this.fail(null)
    const models = [...find('models').querySelectorAll('input:checked')].map((box) => box.value)
    find('analyse').disabled = true
    try {
      if (!models.length) throw new Error('Choose at least one model.')
      const video = await this.video()
      const jobs = []
      for (const model of models) jobs.push(await api.start(video.id, model))
      this.onStart(video, jobs)
    } catch (error) {
      this.uploaded.clear() // the server may have removed them
      if (error.name !== 'AbortError') this.fail(error)
    } finally {
      find('upload').hidden = true
      find('analyse').disabled = false
    }
  }

  async video() {
    const chosen = find('folder').value
    const transcript = find('transcript').files[0]
    if (chosen) {
      if (transcript) throw new Error('A video of the folder takes its transcript from the file beside it: leave the transcript out, or upload the video.')
      return this.config.videos.find(({ id }) => id === chosen)
    }
    if (!this.file) throw new Error('Choose a video first.')
    const limit = this.config.max_upload_bytes
    if (this.file.size > limit) throw new Error(`${this.file.name} is larger than ${bytes(limit)}: cut it, or start the server with a larger limit.`)
    const known = this.uploaded.get(this.file)
    const isSame = known && this.sent.get(known.id) === transcript
    if (isSame) return known
    const video = known && transcript ? known : await this.upload(this.file)
    if (!transcript) return video
    const changed = await api.uploadTranscript(video.id, transcript)
    this.sent.set(video.id, transcript)
    return changed
  }

  async upload(file) {
    const abort = new AbortController()
    find('upload').hidden = false
    find('upload-name').textContent = file.name
    find('upload-cancel').onclick = () => abort.abort()
    const video = await api.uploadVideo(file, (share) => {
      find('upload-bar').value = share
      find('upload-state').textContent = share < 1 ? `uploading, ${percent(share)}` : 'checking'
    }, abort.signal)
    this.uploaded.set(file, video)
    return video
  }
}
