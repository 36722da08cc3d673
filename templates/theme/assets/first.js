// What must be there before anything is painted, in place of Material's inline scripts: where the site begins, what it
// keeps in the browser, and the palette. Material's own waits for the end of the page, and a dark room lights up.
(() => {
  const { scope, palettes } = document.currentScript.dataset
  const root = new URL(scope || "..", document.currentScript.src)

  // A browser may forbid storage, or have none left.
  const attempt = (act) => {
    try {
      return act()
    } catch {
      return null
    }
  }

  // Material's scripts call these by name.
  window.__md_scope = root
  window.__md_hash = (text) => [...text].reduce((hash, mark) => (hash << 5) - hash + mark.charCodeAt(0), 0)
  window.__md_get = (key, storage, { pathname } = root) =>
    attempt(() => JSON.parse((storage ?? localStorage).getItem(`${pathname}.${key}`)))
  window.__md_set = (key, value, storage, { pathname } = root) =>
    attempt(() => (storage ?? localStorage).setItem(`${pathname}.${key}`, JSON.stringify(value)))

  // Material would do so last, and the whole page's styles be worked out once more.
  document.documentElement.classList.replace("no-js", "js")

  const all = [JSON.parse(palettes || "[]")].flat()
  const prefers = (palette) => Boolean(palette.media) && matchMedia(palette.media).matches
  const follows = (palette) => palette.media === "(prefers-color-scheme)"
  const chosen = all[window.__md_get("__palette")?.index] ?? all.find(prefers) ?? all[0]
  const palette = chosen && follows(chosen) ? all.find((each) => !follows(each) && prefers(each)) ?? chosen : chosen

  const dress = () => {
    if (!document.body) return
    for (const key of ["media", "scheme", "primary", "accent"]) {
      if (palette[key]) document.body.setAttribute(`data-md-color-${key}`, palette[key].replaceAll(" ", "-"))
    }
    observer.disconnect()
  }
  const observer = new MutationObserver(dress)
  if (palette) observer.observe(document.documentElement, { childList: true })
})()
