// kb serve puts this script into every page: load again after a build, show what is wrong instead of a build.
(() => {
  const built = Number(document.currentScript.dataset.built)
  let seen = null
  let asking = null

  const show = (message) => {
    document.getElementById("kb-serve")?.remove()
    if (!message) return
    const box = document.createElement("div")
    box.id = "kb-serve"
    box.setAttribute("role", "alert")
    Object.assign(box.style, {
      position: "fixed", inset: "auto 0 0 0", maxHeight: "60vh", overflow: "auto", zIndex: 1000, padding: "12px 16px",
      font: "14px/1.5 ui-monospace, monospace", color: "#fff", background: "#7f1d1d", boxShadow: "0 -2px 12px #0006",
      whiteSpace: "pre-wrap", overflowWrap: "anywhere",
    })
    box.textContent = message
    document.body.append(box)
  }

  const ask = async () => {
    asking = new AbortController()
    const since = seen === null ? "" : `?since=${seen}`
    const response = await fetch(`/.kb/state${since}`, { signal: asking.signal, cache: "no-store" })
    const news = await response.json()
    if (news.built !== built) return location.reload()
    if (news.number !== seen) show(news.message)
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
