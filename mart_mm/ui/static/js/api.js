// What the server is asked for. Errors carry its words.

async function ask(path, options) {
  let answer
  try {
    answer = await fetch(path, options)
  } catch {
    throw new Error('The server does not answer: is it still running?')
  }
  const content = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(content.error ?? `The server answered ${answer.status}.`)
  return content
}

const post = (path, body) => ask(path, { method: 'POST', body })

export const config = () => ask('api/config')
export const jobs = () => ask('api/jobs')
export const report = (job) => ask(`api/jobs/${job}/report`)
export const start = (video, model) => post('api/jobs', JSON.stringify({ video, model }))
export const cancel = (job) => post(`api/jobs/${job}/cancel`)
export const makeExport = (job, format) => post(`api/jobs/${job}/exports/${format}`)
export const exportUrl = (job, format) => `api/jobs/${job}/exports/${format}`
export const mediaUrl = (video) => `api/videos/${video}/media`

export const uploadTranscript = (video, file) =>
  post(`api/videos/${video}/transcript?name=${encodeURIComponent(file.name)}`, file)

/** Upload a video; fetch cannot tell how much is sent, XMLHttpRequest can. */
export function uploadVideo(file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', `api/videos?name=${encodeURIComponent(file.name)}`)
    request.responseType = 'json'
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total))
    request.onload = () => {
      if (request.status === 201) resolve(request.response)
      else reject(new Error(request.response?.error ?? `The server answered ${request.status}.`))
    }
    request.onerror = () => reject(new Error('The upload broke off: is the server still running?'))
    request.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'))
    signal.addEventListener('abort', () => request.abort())
    request.send(file)
  })
}
