// What the pages do in the browser: set formulas, sort tables, copy BibTeX, open what a link points at.
// Material replaces the page's content when one moves through the site, and says so on `document$`.
(() => {
  const here = new URL(".", document.currentScript.src)

  // ---------------------------------------------------------------- formulas: MathJax, only where there are any
  // MathJax's bundles hold its menu, a third of their weight, which is switched off here.
  const PARTS = ["core", "input/tex", "output/chtml", "a11y/assistive-mml", "ui/safe"]
  window.MathJax = {
    loader: { load: PARTS },
    tex: {
      inlineMath: [["\\(", "\\)"]],
      displayMath: [["\\[", "\\]"]],
      processEscapes: false,
      processEnvironments: false,
      processRefs: false,
      packages: { "[-]": ["require"] },
    },
    options: { ignoreHtmlClass: ".*", processHtmlClass: "arithmatex" },
    startup: {
      typeset: false,
      ready() {
        strictAddresses(window.MathJax._.ui.safe.SafeMethods.SafeMethods)
        window.MathJax.startup.defaultReady()
      },
    },
  }

  // Browsers pass over control characters in an address, MathJax's filter of \href does not: it took \x01javascript: for no scheme.
  const strictAddresses = (methods) => {
    const filter = methods.filterURL
    methods.filterURL = (safe, address) => filter(safe, address.replace(/[\0-\x1f]/g, "").trim())
  }

  // What scrolls by itself can be reached and scrolled by keyboard; what has a role has seen to it. What is closed is left alone: to measure it, the
  // browser would have to lay it out. All is looked at before any is changed, or it would lay them out one by one.
  const SCROLLERS = ":is(.kb-scroll, .kb-table, .md-typeset__scrollwrap, .arithmatex, pre code):not([role])"
  const isScroller = (element) =>
    (element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1) &&
    getComputedStyle(element).overflow !== "visible"
  const markScrollers = () => {
    const open = [...document.querySelectorAll(SCROLLERS)].filter((each) => !each.closest("details:not([open])"))
    const scrollers = new Set(open.filter(isScroller))
    for (const each of open) {
      if (scrollers.has(each)) each.tabIndex = 0
      else each.removeAttribute("tabindex")
    }
  }
  document.addEventListener("toggle", markScrollers, true)

  // A formula that is wider than its line scrolls by itself; others keep their place on the baseline.
  const markWide = () => {
    for (const each of document.querySelectorAll("span.arithmatex")) {
      const container = each.querySelector("mjx-container")
      const line = each.parentElement.closest("p, li, td, th, dd, h1, h2, h3, h4, h5, h6, div")
      const wide = Boolean(container) && container.getBoundingClientRect().width > line.clientWidth + 1
      each.classList.toggle("kb-wide", wide)
    }
    markScrollers()
  }
  window.addEventListener("resize", markWide)

  const mathjaxFile = (name) => new URL(`mathjax/${name}.js`, here).href

  // MathJax asks for its parts one after the other; the browser may fetch them at once.
  const preload = (name) => {
    const link = document.createElement("link")
    Object.assign(link, { rel: "preload", as: "script", href: mathjaxFile(name) })
    document.body.append(link)
  }

  let mathjax
  const loadMathJax = () =>
    (mathjax ??= new Promise((resolve, reject) => {
      for (const each of [...PARTS, "output/chtml/fonts/tex"]) preload(each)
      const script = document.createElement("script")
      script.src = mathjaxFile("startup")
      script.onload = () => window.MathJax.startup.promise.then(resolve, reject)
      script.onerror = reject
      document.body.append(script)
    }))

  const isInView = (element) => {
    const { top, bottom } = element.getBoundingClientRect()
    return bottom > 0 && top < innerHeight
  }

  // Those in view first, and a breath between a few, so that a page full of formulas answers meanwhile. To set one the
  // browser lays out the page: as many are set together as take about as long as that.
  const LONG = 12 // milliseconds
  const setInTurns = async (formulas) => {
    const few = async (waiting) => {
      let number = 1
      while (waiting.length) {
        const began = performance.now()
        await window.MathJax.typesetPromise(waiting.splice(0, number).filter((each) => each.isConnected))
        if (performance.now() - began < LONG) number += 1
        else number = Math.max(1, number - 1)
        await new Promise((resume) => setTimeout(resume))
      }
    }
    const seen = formulas.filter(isInView)
    await few([...seen])
    if (seen.length) markWide()
    await few(formulas.filter((each) => !seen.includes(each)))
  }

  // Moving to another page takes MathJax's style sheet out of the head, so it starts anew on each page;
  // one page after the other, or two would be set at the same time.
  let queue = Promise.resolve()
  const setFormulas = () => {
    const formulas = [...document.querySelectorAll(".md-content .arithmatex")]
    if (!formulas.length) return
    queue = queue.then(loadMathJax).then(() => {
      const { MathJax } = window
      const waiting = formulas.filter((each) => each.isConnected && !each.querySelector("mjx-container"))
      MathJax.startup.output.clearCache()
      MathJax.typesetClear()
      MathJax.texReset()
      return setInTurns(waiting)
    }).then(markWide).catch((error) => console.warn("formulas could not be set:", error))
  }

  // ------------------------------------------------------------------------------------------- sortable tables
  const valueOf = (row, column, kind) => {
    const cell = row.cells[column]
    return kind === "number" ? Number(cell.dataset.value ?? NaN) : cell.textContent.trim()
  }

  const compare = (kind) => (a, b) =>
    kind === "number" ? (a || 0) - (b || 0) : a.localeCompare(b, document.documentElement.lang, { numeric: true })

  const sortBy = (table, head) => {
    const { sort } = head.dataset
    const down = head.getAttribute("aria-sort") === "ascending"
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort")
    head.setAttribute("aria-sort", down ? "descending" : "ascending")
    const body = table.tBodies[0]
    const rows = [...body.rows].map((row) => [valueOf(row, head.cellIndex, sort), row])
    const order = compare(sort)
    rows.sort(([a], [b]) => (down ? order(b, a) : order(a, b)))
    body.append(...rows.map(([, row]) => row))
  }

  const makeSortable = (table) => {
    for (const head of table.tHead.rows[0].cells) {
      if (!head.dataset.sort || head.querySelector("button")) continue
      const button = document.createElement("button")
      button.type = "button"
      button.append(...head.childNodes)
      button.addEventListener("click", () => sortBy(table, head))
      head.append(button)
    }
  }

  // -------------------------------------------------------------------------------------------- copy and open
  // Browsers give the clipboard to secure pages alone: not where a site is looked at through a plain address at home.
  const copy = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text)
    const area = Object.assign(document.createElement("textarea"), { value: text, readOnly: true })
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-kb-copy]")
    if (!button) return
    await copy(button.dataset.kbCopy || button.parentElement.querySelector("pre").textContent)
    button.focus()
    const label = button.textContent
    button.textContent = button.dataset.kbCopied
    setTimeout(() => (button.textContent = label), 1500)
  })

  // The layers of a model come when their table is opened.
  const row = (cells, tag) => {
    const line = document.createElement("tr")
    for (const [at, text] of cells.entries()) {
      const cell = document.createElement(tag)
      cell.textContent = text
      if (tag === "th") cell.scope = "col"
      if (at > 3) cell.className = "kb-number"
      line.append(cell)
    }
    return line
  }
  document.addEventListener("toggle", async ({ target }) => {
    if (!target.open || !target.matches("[data-kb-layers]") || target.querySelector("table")) return
    const answer = await fetch(target.querySelector("a").href)
    if (!answer.ok) return
    const [names, ...layers] = (await answer.text()).trim().split("\n").map((line) => line.split("\t"))
    const table = document.createElement("table"), region = document.createElement("div")
    table.className = "kb-data"
    table.createTHead().append(row(names, "th"))
    table.createTBody().append(...layers.map((cells) => row(cells, "td")))
    Object.assign(region, { className: "kb-scroll", tabIndex: 0, role: "region", ariaLabel: target.firstElementChild.textContent })
    region.append(table)
    target.firstElementChild.after(region)
  }, true)

  // So do the pictures, and all but the first numbers, of the last of many models.
  const panelsAt = {}
  document.addEventListener("toggle", async ({ target }) => {
    const link = target.open && target.querySelector("[data-kb-panel]")
    if (!link) return
    panelsAt[link.href] ??= fetch(link.href).then((answer) => (answer.ok ? answer.json() : {}))
    const panel = (await panelsAt[link.href])[link.dataset.kbPanel]
    if (!panel || !link.isConnected) return
    link.parentElement.outerHTML = panel
    markScrollers()
  }, true)

  // What the address points at; one with a stray `%` points at nothing.
  const pointedAt = () => {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)))
    } catch {
      return null
    }
  }

  // A link into a closed panel opens it.
  // It is marked by us: the browser does not take every way through the site for one to a fragment.
  const openTarget = () => {
    const target = pointedAt()
    for (const each of document.querySelectorAll(".kb-target")) each.classList.remove("kb-target")
    target?.classList.add("kb-target")
    for (let each = target?.closest("details"); each; each = each.parentElement.closest("details")) each.open = true
    if (target?.closest("details")) target.scrollIntoView()
  }
  window.addEventListener("hashchange", openTarget)
  document.addEventListener("click", (event) => {
    if (event.target.closest('a[href*="#"]')) setTimeout(openTarget, 0)
  })

  // Content tabs, which a page may have: the one that the address names, and with `content.tabs.link` those chosen before.
  const openTabs = () => {
    const named = pointedAt()
    if (named?.name?.startsWith("__tabbed_")) named.checked = true
    const { features } = JSON.parse(document.getElementById("__config").textContent)
    const chosen = features.includes("content.tabs.link") ? window.__md_get("__tabs") ?? [] : []
    for (const set of document.querySelectorAll(".tabbed-set")) {
      const labels = [...set.querySelectorAll(":scope > .tabbed-labels > label")]
      const label = chosen.flatMap((text) => labels.filter((each) => each.innerText.trim() === text))[0]
      if (label) document.getElementById(label.htmlFor).checked = true
    }
  }

  // On paper nothing can be opened: what an author has folded up is, for as long as it is printed.
  const folded = ".md-content details:not([open], [class^='kb-'])"
  let opened = []
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(folded)]
    for (const each of opened) each.open = true
  })
  window.addEventListener("afterprint", () => {
    for (const each of opened) each.open = false
  })

  // The other language's page opens at the section that one is in: sections have the same anchors in both.
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.(".kb-languages a")
    if (link && location.hash) link.hash = location.hash
  }, true)

  // Images are enlarged by a script of its own, only where there are some that are worth it.
  let zoom
  const loadZoom = () => {
    if (zoom || !document.querySelector("a.kb-zoom")) return
    zoom = document.createElement("script")
    zoom.src = new URL("zoom.js", here)
    document.body.append(zoom)
  }

  // Material makes a landmark of each code block's buttons, and gives none a name.
  const nameCodeButtons = () => {
    document.querySelectorAll("nav.md-code__nav").forEach((each, at) => {
      each.setAttribute("aria-label", `${each.querySelector("[title]")?.title ?? ""} ${at + 1}`)
    })
  }

  window.document$.subscribe(() => {
    nameCodeButtons()
    markScrollers()
    setFormulas()
    openTabs()
    loadZoom()
    document.querySelectorAll("table.kb-sortable").forEach(makeSortable)
    openTarget()
  })
})()
