// kb serve puts this script into every page: load again when the page has changed, show what is wrong with it.
(() => {
  const version = document.currentScript.dataset.version
  let seen = null
  let asking = null

  const BAR = {
    position: "fixed", inset: "auto 0 0 0", maxHeight: "60vh", overflow: "auto", zIndex: 1000, padding: "12px 16px",
    font: "14px/1.5 ui-monospace, monospace", color: "#fff", boxShadow: "0 -2px 12px #0006",
    whiteSpace: "pre-wrap", overflowWrap: "anywhere",
  }

  const bar = (id, tag, style) => {
    document.getElementById(id)?.remove()
    const made = Object.assign(document.createElement(tag), { id })
    Object.assign(made.style, BAR, style)
    return made
  }

  // What keeps the site from being built stands open; remarks on a card that builds can be opened.
  const show = ({ message, remarks }) => {
    const error = bar("kb-serve", "div", { background: "#7f1d1d" })
    const remark = bar("kb-serve-remarks", "details", { background: "#4d3d05", padding: "6px 16px" })
    error.setAttribute("role", "alert")
    error.textContent = message
    const lines = remarks.split("\n").filter((line) => /^\S/.test(line))
    remark.append(Object.assign(document.createElement("summary"), { textContent: `${lines.length} × ${lines[0]}` }))
    remark.append(remarks)
    if (message) document.body.append(error)
    else if (remarks) document.body.append(remark)
  }

  const ask = async () => {
    asking = new AbortController()
    const asked = new URLSearchParams({ page: location.pathname, ...(seen === null ? {} : { since: seen }) })
    const response = await fetch(`/.kb/state?${asked}`, { signal: asking.signal, cache: "no-store" })
    const news = await response.json()
    if (news.version !== version) return location.reload()
    if (news.number !== seen) show(news)
    seen = news.number
  }

  // A hidden page asks nothing: browsers allow six connections to a server, whatever the number of tabs.
  const run = async () => {
    while (!document.hidden) {
      try {
        await ask()
      } catch {
        if (document.hidden) return
        await new Promise((resolve) => setTimeout(resolve, 1000))
      }
    }
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? asking?.abort() : run()))
  run()
})()
