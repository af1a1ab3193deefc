// The video, or its time alone where the browser cannot play it.

export class Player {
  constructor(video, note) {
    Object.assign(this, { video, note })
    this.resting = 0 // the time, where there is no picture
    this.isPlayable = true
    this.duration = Infinity
    video.addEventListener('error', () => {
      if (!video.getAttribute('src')) return
      this.resting = this.time
      this.isPlayable = false
      note.textContent = 'This browser cannot play the file; the curve and the words can still be read.'
      note.hidden = false
    })
  }

  open(url, duration) {
    this.duration = duration
    if (this.video.getAttribute('src') === url) return
    this.resting = 0
    this.isPlayable = true
    this.note.hidden = true
    this.video.src = url
  }

  get time() { return this.isPlayable ? this.video.currentTime : this.resting }
  get isPlaying() { return this.isPlayable && !this.video.paused }

  seek(time) {
    const wanted = Math.min(this.duration, Math.max(0, time))
    if (this.isPlayable) this.video.currentTime = wanted
    else this.resting = wanted
  }

  toggle() {
    if (!this.isPlayable) return
    if (this.video.paused) this.video.play().catch(() => {})
    else this.video.pause()
  }
}
