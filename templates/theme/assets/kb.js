// What the pages do in the browser: set formulas, sort tables, copy BibTeX, open what a link points at.
// Material replaces the page's content when one moves through the site, and says so on `document$`.
(() => {
  const here = new URL(".", document.currentScript.src)

  // ---------------------------------------------------------------- formulas: MathJax, only where there are any
  window.MathJax = {
    loader: { load: ["ui/safe"] },
    tex: {
      inlineMath: [["\\(", "\\)"]],
      displayMath: [["\\[", "\\]"]],
      processEscapes: false,
      processEnvironments: false,
      processRefs: false,
      packages: { "[-]": ["require"] },
    },
    options: { enableMenu: false, ignoreHtmlClass: ".*", processHtmlClass: "arithmatex" },
    startup: { typeset: false },
  }

  // A formula that is wider than its line scrolls by itself; others keep their place on the baseline.
  const markWide = () => {
    for (const each of document.querySelectorAll("span.arithmatex")) {
      const container = each.querySelector("mjx-container")
      const line = each.parentElement.closest("p, li, td, th, dd, h1, h2, h3, h4, h5, h6, div")
      each.classList.toggle("kb-wide", Boolean(container) && container.scrollWidth > line.clientWidth + 1)
    }
  }
  window.addEventListener("resize", markWide)

  let mathjax
  const loadMathJax = () =>
    (mathjax ??= new Promise((resolve, reject) => {
      const script = document.createElement("script")
      script.src = new URL("mathjax/tex-chtml.js", here)
      script.onload = () => window.MathJax.startup.promise.then(resolve, reject)
      script.onerror = reject
      document.body.append(script)
    }))

  // Moving to another page takes MathJax's style sheet out of the head, so it starts anew on each page;
  // one page after the other, or two would be set at the same time.
  let queue = Promise.resolve()
  const setFormulas = () => {
    const formulas = [...document.querySelectorAll(".md-content .arithmatex")]
    if (!formulas.length) return
    queue = queue.then(loadMathJax).then(() => {
      const { MathJax } = window
      const waiting = formulas.filter((each) => each.isConnected && !each.querySelector("mjx-container"))
      // The marks of a search would cut a formula in pieces.
      for (const each of waiting) each.textContent = each.textContent
      MathJax.startup.output.clearCache()
      MathJax.typesetClear()
      MathJax.texReset()
      return MathJax.typesetPromise(waiting)
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
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-kb-copy]")
    if (!button) return
    await navigator.clipboard.writeText(button.dataset.kbCopy)
    const label = button.textContent
    button.textContent = button.dataset.kbCopied
    setTimeout(() => (button.textContent = label), 1500)
  })

  // A link into a closed panel opens it.
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)))
    for (let each = target?.closest("details"); each; each = each.parentElement.closest("details")) each.open = true
    if (target?.closest("details")) target.scrollIntoView()
  }
  window.addEventListener("hashchange", openTarget)
  document.addEventListener("click", (event) => {
    if (event.target.closest('a[href*="#"]')) setTimeout(openTarget, 0)
  })

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

  // Material looks at the query when a key comes up; an input method or a paste may need none.
  document.addEventListener("input", ({ target }) => {
    if (target.matches(".md-search__input")) target.dispatchEvent(new Event("keyup"))
  })

  window.document$.subscribe(() => {
    setFormulas()
    document.querySelectorAll("table.kb-sortable").forEach(makeSortable)
    openTarget()
  })
})()
