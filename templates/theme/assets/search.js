// The search as readers see it: a dialog that a key opens from anywhere, and a page whose address holds the whole
// search, facets and all. Texts of cards are only ever set as text.
(() => {
  const here = new URL(".", document.currentScript.src), top = new URL("..", here)
  const { open, fold, patterns, places } = window.kbSearch
  const engine = open(new URL("search/", top))
  const WINDOW = 12 // results that are fetched and shown at a time
  const PASSAGE = 150 // characters, about
  const FACETS = ["kind", "year", "venue", "tag", "family", "status", "figures", "lang"]
  const FEW = 8 // values of a facet that are shown at first

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties)
    element.append(...children.filter((child) => child !== null && child !== undefined))
    return element
  }
  const say = (words, key, values = {}) => (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name])

  // ------------------------------------------------------------------------------------------------ passages
  // A text with its hits marked.
  const marked = (text, regexes) => {
    const nodes = []
    let end = 0
    for (const { from, to } of places(text, regexes)) {
      nodes.push(text.slice(end, from), make("mark", { textContent: text.slice(from, to) }))
      end = to
    }
    return [...nodes, text.slice(end)].filter((node) => node !== "")
  }

  // Where a passage of a text begins, so that it shows the most of the words.
  const bestPlace = (hits) => {
    let best = { start: 0, words: 0 }
    for (const hit of hits) {
      const within = hits.filter(({ from, to }) => from >= hit.from && to <= hit.from + PASSAGE)
      const words = new Set(within.map(({ term }) => term)).size
      if (words > best.words) best = { start: hit.from, words }
    }
    return best
  }

  const cutOut = (text, start) => {
    const from = Math.max(0, start - 24)
    // A word is not cut in two, nor a letter of two code units.
    const word = /[^\s，。；：、]*$/u.exec(text.slice(0, from))[0]
    const begin = from && word.length < 16 ? from - word.length : from
    const line = text.slice(begin, begin + PASSAGE + 24).replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, "").replace(/\s*\n\s*/g, " · ")
    return `${begin ? "…" : ""}${line}${begin + PASSAGE + 24 < text.length ? "…" : ""}`
  }

  // The part of a page that shows the most of a search: its fragment, its heading, a passage of it.
  const passageOf = (record, regexes, phrase) => {
    const parts = [
      ...(record.models ?? []).map(([call, anchor]) =>
        ({ anchor, heading: "", text: call, bonus: phrase && fold(call).includes(phrase) ? 0.6 : 0.4 })),
      ...(record.parts ?? []).map(([anchor, heading, text]) => ({ anchor, heading, text, bonus: 0.5 })),
    ]
    const judged = parts.map((part) => {
      const { start, words } = bestPlace(places(part.text, regexes))
      return { ...part, start, words: words || places(part.heading, regexes).length / 100 }
    })
    const best = judged.reduce((one, other) => (other.words + other.bonus > one.words + one.bonus ? other : one),
      { words: 0, bonus: 0.5 })
    // A page that is called so is read from its beginning.
    const names = [record.name, record.title, ...(record.keys ?? [])].filter(Boolean).map(fold).join("\n")
    const isNamed = regexes.every((regex) => names.search(regex) >= 0)
    if (best.words) return { anchor: isNamed ? "" : best.anchor, heading: best.heading, text: cutOut(best.text, best.start) }
    const first = record.parts?.[0]
    return first ? { anchor: "", heading: "", text: cutOut(first[2], 0) } : null
  }

  // How well a page that is shown fits: whether it holds every word and run of characters as typed, and the query
  // as a phrase.
  const fit = (record, regexes, phrase, lang) => {
    const names = [record.name, record.title, ...(record.keys ?? [])].filter(Boolean)
    const text = [...names, record.kind, record.venue, record.year, ...(record.authors ?? []), ...(record.tags ?? []),
      ...(record.models ?? []).map(([call]) => call), ...(record.parts ?? []).flatMap(([, heading, part]) => [heading, part])]
      .filter(Boolean).join("\n")
    const plain = fold(text)
    const missing = regexes.filter((regex) => plain.search(regex) < 0).length
    const isName = names.some((name) => fold(name) === phrase)
    return (isName ? 3 : plain.includes(phrase) ? 1.3 : 1) * (record.lang && record.lang !== lang ? 0.8 : 1)
      * (0.2 ** missing)
  }

  // ------------------------------------------------------------------------------------------------- results
  const address = (record, anchor) => {
    const url = new URL(record.path, top)
    if (anchor) url.hash = anchor
    return url.href
  }

  const resultOf = ({ record, passage }, regexes) => {
    const facts = [record.year, record.venue, record.kind].filter(Boolean)
    const title = record.title && record.title !== record.name ? record.title : ""
    const heading = passage?.heading ? [make("b", {}, ...marked(passage.heading, regexes)), " "] : []
    const link = make("a", { className: "kb-result", href: address(record, passage?.anchor) },
      make("span", { className: "kb-result__head" },
        make("span", { className: "kb-result__name" }, ...marked(record.name, regexes)),
        make("span", { className: "kb-result__facts" }, ...marked(facts.join(" · "), regexes))),
      title ? make("span", { className: "kb-result__title" }, ...marked(title, regexes)) : null,
      passage ? make("span", { className: "kb-result__passage" }, ...heading, ...marked(passage.text, regexes)) : null)
    if (record.lang) link.lang = record.lang
    return link
  }

  // Searches, and gives the results window by window; a later search makes an earlier one worthless.
  const searching = () => {
    let latest = 0
    return async (query, chosen, shown) => {
      const mine = ++latest
      const lang = document.documentElement.lang.slice(0, 2)
      const said = (await engine.manifest()).words
      const words = said[lang] ?? said.en
      const isFiltered = [...chosen.values()].some((values) => values.size)
      const all = shown.facets || isFiltered
      const [known, { scores, terms, loose }] = await Promise.all([engine.facets(all ? "" : "paper"), engine.answer(query)])
      const facets = all ? known : null
      if (mine !== latest) return
      const everything = !terms.length && facets
      const found = everything ? newest(facets) : [...scores].sort((a, b) => b[1] - a[1] || a[0] - b[0])
      const filtered = found.filter(([number]) => [...chosen].every(([name, values]) => isOneOf(facets, name, values, number)))
      const paper = papersIn(known), seconds = secondsIn(known)
      const papers = oneOfEach(filtered, ([number]) => paper(number), ([number]) => !seconds.has(number))
      const hits = facets ? papers : filtered // in the dialog, of a paper in two languages the card that fits better
      const regexes = patterns(terms), phrase = fold(query).replace(/\s+/g, " ").trim()
      const seen = new Set()
      let at = 0
      const next = async () => {
        const part = hits.slice(at, (at += WINDOW))
        const records = await Promise.all(part.map(([number]) => engine.record(number)))
        const judged = records.map((record, n) =>
          ({ record, score: part[n][1] * (terms.length ? fit(record, regexes, phrase, lang) : 1) }))
        if (terms.length) judged.sort((a, b) => b.score - a.score)
        // A paper with a card in two languages is one result: the one that fits better.
        const fresh = oneOfEach(judged, ({ record }) => paperOf(record), ({ record }) => record.lang === lang, seen)
        return fresh.map(({ record }) => resultOf({ record, passage: passageOf(record, regexes, phrase) }, regexes))
      }
      const first = await next()
      if (mine !== latest) return
      shown.show({ words, first, next, isMore: () => at < hits.length, count: papers.length, terms, loose, query, everything })
      if (shown.facets) shown.facets({ words, facets, found: found.map(([number]) => number), chosen })
    }
  }

  // en/cards/K.html is cards/K.html in another language.
  const paperOf = (record) => record.path.replace(/^[a-z]{2,3}\/(?=cards\/)/, "")
  const papersIn = (facets) => {
    const pairs = [...(facets?.get("paper") ?? [])].flatMap(([key, numbers]) => [...numbers].map((number) => [number, key]))
    const known = new Map(pairs)
    return (number) => known.get(number) ?? number
  }
  // One of each: at the place of the first, the one that is preferred.
  const oneOfEach = (items, key, isPreferred, seen = new Set()) => {
    const found = new Map()
    for (const item of items.filter((each) => !seen.has(key(each))))
      if (!found.has(key(item)) || isPreferred(item)) found.set(key(item), item)
    for (const each of found.keys()) seen.add(each)
    return [...found.values()]
  }
  const secondsIn = (facets) => new Set([...(facets?.get("second")?.values() ?? [])].flatMap((numbers) => [...numbers]))

  const isOneOf = (facets, name, values, number) =>
    !values.size || [...values].some((value) => facets.get(name)?.get(value)?.has(number))

  // All cards, the newest papers first.
  const newest = (facets) => {
    const years = [...(facets.get("year") ?? [])].flatMap(([year, numbers]) => [...numbers].map((number) => [number, Number(year)]))
    const dated = new Map(years)
    const all = new Set([...(facets.get("status")?.values() ?? [])].flatMap((numbers) => [...numbers]))
    return [...all].map((number) => [number, dated.get(number) ?? 0])
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
  }

  const summary = ({ words, count, terms, loose, query, everything }) => {
    const respelt = terms.filter((term) => term.respelt?.length)
    if (!count) return say(words, query.trim() ? "none" : "nothing", { query: query.trim() })
    if (everything) return say(words, "all", { count })
    if (loose) return say(words, "loose", { count })
    if (respelt.length) return say(words, "respelt", { count, words: [...new Set(respelt.flatMap((term) => term.respelt))].slice(0, 5).join(", ") })
    return say(words, count === 1 ? "one" : "count", { count })
  }

  const failed = (status) => (error) => {
    console.warn("search:", error)
    status.textContent = status.dataset.failed
  }

  // -------------------------------------------------------------------------------------------------- dialog
  const dialog = document.querySelector("dialog.kb-search")
  const opener = document.querySelector(".kb-search-open")
  const isTyping = ({ target }) => target.closest?.("input, textarea, select, [contenteditable]")

  // The header stays when one moves through the site: it speaks as the page does.
  const speak = () => {
    const language = document.querySelector("meta[name=kb-language]")?.content
    if (!language || language === document.documentElement.lang) return
    document.documentElement.lang = language
    const texts = JSON.parse(dialog.dataset.texts)
    const said = texts[language.slice(0, 2)] ?? texts.en
    for (const element of document.querySelectorAll("[data-kb-say]")) {
      for (const [name, key] of element.dataset.kbSay.split(" ").map((pair) => pair.split(":"))) {
        if (name === "text") element.textContent = said[key]
        else element.setAttribute(name, said[key])
      }
    }
  }

  const setUpDialog = () => {
    const input = dialog.querySelector("input"), list = dialog.querySelector("[role=listbox]")
    const status = dialog.querySelector("[role=status]"), page = dialog.querySelector("a[data-kb-search-page]")
    const form = dialog.querySelector("form"), search = searching()
    // The header stays when one moves to a page in another folder.
    for (const link of [opener, page]) link.href = link.href
    form.action = form.action

    const choices = () => [...list.querySelectorAll("[role=option]")]
    const choose = (option) => {
      for (const each of choices()) each.setAttribute("aria-selected", String(each === option))
      if (option) input.setAttribute("aria-activedescendant", option.id)
      else input.removeAttribute("aria-activedescendant")
      option?.scrollIntoView({ block: "nearest" })
    }
    const chosen = () => list.querySelector("[aria-selected=true]")

    const show = (found) => {
      const options = found.first.map((link, n) => Object.assign(link, { role: "option", id: `kb-search-${n}`, tabIndex: -1 }))
      list.replaceChildren(...options)
      list.parentElement.scrollTop = 0
      status.textContent = input.value.trim() ? summary(found) : ""
      input.setAttribute("aria-expanded", String(options.length > 0))
      choose(options[0])
    }

    const look = () => {
      page.search = input.value.trim() ? `?${new URLSearchParams({ q: input.value.trim() })}` : ""
      search(input.value, new Map(), { show }).catch(failed(status))
    }
    input.addEventListener("input", look)

    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return
      // The browser would only empty the field.
      if (event.key === "Escape") {
        event.preventDefault()
        return dialog.close()
      }
      const all = choices(), at = all.indexOf(chosen())
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 5, all.length - 1), PageUp: Math.max(at - 5, 0) }[event.key]
      if (to !== undefined && all.length) {
        event.preventDefault()
        choose(all[(to + all.length) % all.length])
      }
    })
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      chosen()?.click()
    })
    list.addEventListener("click", ({ target }) => target.closest("a") && dialog.close())
    page.addEventListener("click", () => dialog.close())
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close())
    dialog.querySelector("[data-kb-search-close]").addEventListener("click", () => dialog.close())

    const begin = (event) => {
      event.preventDefault()
      if (!dialog.open) dialog.showModal()
      input.select()
      engine.manifest().catch(failed(status))
    }
    window.document$?.subscribe(speak)
    // Moving to another page takes the focus, also from a dialog that was opened while it went on.
    window.document$?.subscribe(() => dialog.open && input.focus())
    opener.addEventListener("click", (event) => event.ctrlKey || event.metaKey || event.shiftKey || begin(event))
    document.addEventListener("keydown", (event) => {
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && ["/", "s", "f"].includes(event.key)
      const isChord = (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k"
      if (isChord || (isPlain && !isTyping(event))) begin(event)
    })
  }

  // ---------------------------------------------------------------------------------------------------- page
  const isWide = matchMedia("(min-width: 45em)")

  const setUpPage = (root) => {
    if (root.dataset.kbReady) return
    root.dataset.kbReady = "yes"
    const input = root.querySelector("input[type=search]"), list = root.querySelector("ol"), status = root.querySelector("[role=status]")
    const more = root.querySelector("[data-kb-more]"), panel = root.querySelector("[data-kb-facets]"), clear = root.querySelector("[data-kb-clear]")
    const search = searching(), chosen = new Map(FACETS.map((name) => [name, new Set()])), opened = new Set()
    let found

    const read = () => {
      const state = new URLSearchParams(location.search)
      input.value = state.get("q") ?? ""
      for (const [name, values] of chosen) {
        values.clear()
        for (const value of state.getAll(name)) values.add(value)
      }
    }
    const write = () => {
      const state = new URLSearchParams(input.value.trim() ? { q: input.value.trim() } : {})
      for (const [name, values] of chosen) for (const value of values) state.append(name, value)
      const url = new URL(location.href)
      url.search = state.toString()
      if (url.href !== location.href) history.replaceState(history.state, "", url)
    }

    const add = (links) => list.append(...links.map((link) => make("li", {}, link)))
    const count = () => { more.hidden = !found.isMore() }
    const show = (now) => {
      found = now
      list.replaceChildren()
      add(now.first)
      status.textContent = summary(now)
      count()
    }
    more.addEventListener("click", async () => {
      const from = list.children.length
      add(await found.next())
      count()
      list.children[Math.min(from, list.children.length - 1)].querySelector("a").focus()
    })

    const look = () => search(input.value, chosen, { show, facets }).catch(failed(status))
    const facets = ({ words, facets, found }) => {
      const focused = document.activeElement?.id
      panel.replaceChildren(...FACETS.map((name) => facetOf(words, name, facets, found)).filter(Boolean))
      clear.hidden = ![...chosen.values()].some((values) => values.size)
      if (focused?.startsWith("kb-facet-")) document.getElementById(focused)?.focus()
    }

    // The values of a facet, with how many of the results have them, were it not for this facet itself.
    const facetOf = (words, name, facets, numbers) => {
      const values = facets.get(name), mine = chosen.get(name)
      if (!values || (values.size < 2 && !mine.size)) return null
      const others = [...chosen].filter(([other]) => other !== name)
      const left = numbers.filter((number) => others.every(([other, picked]) => isOneOf(facets, other, picked, number)))
      const paper = papersIn(facets)
      const counted = [...values].map(([value, has]) => [value, new Set(left.filter((number) => has.has(number)).map(paper)).size])
        .filter(([value, count]) => count || mine.has(value))
      const byName = (a, b) => b[0].localeCompare(a[0], document.documentElement.lang, { numeric: true })
      const byCount = (a, b) => mine.has(b[0]) - mine.has(a[0]) || b[1] - a[1] || byName(b, a)
      counted.sort(name === "year" ? byName : byCount)
      const all = opened.has(name) ? counted.slice(0, 200) : counted.slice(0, Math.max(FEW, mine.size))
      const rest = opened.has(name) ? 0 : counted.length - all.length
      return make("fieldset", { className: "kb-facet" }, make("legend", { textContent: say(words, `facet.${name}`) }),
        ...all.map(([value, count], n) => choice(name, value, count, n)),
        rest > 0 ? make("button", { type: "button", className: "kb-facet__more", id: `kb-facet-${name}-more`, textContent: say(words, "more_values", { count: rest }),
          onclick: () => { opened.add(name); look() } }) : null)
    }
    const choice = (name, value, count, n) => {
      const values = chosen.get(name)
      const box = make("input", { type: "checkbox", checked: values.has(value), id: `kb-facet-${name}-${n}` })
      box.addEventListener("change", () => {
        values[box.checked ? "add" : "delete"](value)
        write()
        look()
      })
      return make("label", {}, box, make("span", { textContent: value }), make("small", { textContent: count }))
    }

    input.addEventListener("input", () => { write(); look() })
    root.querySelector("form").addEventListener("submit", (event) => event.preventDefault())
    clear.addEventListener("click", () => {
      for (const values of chosen.values()) values.clear()
      write()
      look()
      input.focus()
    })
    root.addEventListener("keydown", (event) => {
      const down = { ArrowDown: 1, ArrowUp: -1 }[event.key]
      const links = [...list.querySelectorAll("a")], at = links.indexOf(document.activeElement)
      if (!down || event.isComposing || (at < 0 && event.target !== input)) return
      event.preventDefault()
      ;(links[at + down] ?? (at + down < 0 ? input : links[at]))?.focus()
    })
    read()
    look()
    root.querySelector("details").open = isWide.matches
    if (!input.value && isWide.matches) input.focus({ preventScroll: true })
  }

  if (dialog) setUpDialog()
  const setUpPages = () => document.querySelectorAll("[data-kb-finder]").forEach(setUpPage)
  setUpPages()
  window.document$?.subscribe(setUpPages) // says nothing on a page that was opened from a folder
})()
