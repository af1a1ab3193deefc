// Light, dark, or as the system wants it.

import { find } from './dom.js'

const THEMES = ['system', 'light', 'dark']
const system = matchMedia('(prefers-color-scheme: dark)')
let theme = localStorage.getItem('theme') ?? 'system'

function apply() {
  const isDark = theme === 'dark' || (theme === 'system' && system.matches)
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
  find('theme').textContent = `Theme: ${theme}`
}

export function startTheme() {
  system.addEventListener('change', apply)
  find('theme').addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]
    localStorage.setItem('theme', theme)
    apply()
  })
  apply()
}
