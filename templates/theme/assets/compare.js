// The compare page: filters, sorts and plots the measured calls, and sets those chosen side by side. The address holds
// all of the view; going back and forward reads it again. Without this script the page is a table and a plot of links.
(() => {
  const root = document.getElementById("kb-compare")
  const source = document.getElementById("kb-compare-data")
  if (!root || !source) return
  const part = (name) => root.querySelector(`[data-kb="${name}"]`)
  const { config, data: embedded } = JSON.parse(source.content.textContent)
  const { numbers } = config

  const PAGE = 100 // rows drawn at first, and with each "show more"
  const MOST_POINTS = 1500
  const COUNTS = ["params", "macs", "activations", "peak_activation_bytes"]
  const ACCURACIES = ["top1", "top5", "map", "miou"]

  let rows = [] // all calls
  let byCall = new Map()
  let families = []
  let state = {}
  let drawn = PAGE

  // -------------------------------------------------------------------------------------------- words and numbers
  const text = (key, values = {}) => config.texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name])
  const metricName = (metric) => config.metrics[metric] ?? metric
  const datasetName = (dataset) => dataset || text("not_stated")
  const unique = (items) => [...new Set(items)]
  const sum = (items) => items.reduce((total, each) => total + each, 0)
  const kindName = (row) => config.kinds[row.kind] ?? row.kind
  const nameOf = (call) => call.split("(")[0]

  const SCALES = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "K"]]
  const grouped = (number) => number.toLocaleString("en")
  const significant = (value) => value.toFixed(Math.max(3 - (value >= 1 ? String(Math.floor(value)).length : 0), 0))
  const short = (number) => {
    const [scale, unit] = SCALES.find(([each]) => number >= each) ?? [1, ""]
    return unit ? `${significant(number / scale)} ${unit}` : String(number)
  }
  const bytes = (count) => (count >= 2 ** 20 ? `${significant(count / 2 ** 20)} MiB` : `${(count / 1024).toFixed(1)} KiB`)
  const showCount = (name, value) => (name === "peak_activation_bytes" ? bytes(value) : short(value))
  const tick = (value) => {
    const [scale, unit] = SCALES.find(([each]) => value >= each) ?? [1, ""]
    return `${Number((value / scale).toPrecision(6))}${unit && ` ${unit}`}`
  }

  const UNITS = { k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12, 万: 1e4, 亿: 1e8 }
  const readNumber = (written) => {
    const found = /^([\d.]+)\s*([kmgbt万亿]?)$/i.exec(written.replace(/[,\s_]/g, ""))
    return found ? Number(found[1]) * (UNITS[found[2].toLowerCase()] ?? 1) : NaN
  }

  // ----------------------------------------------------------------------------------------------------- elements
  const SVG = "http://www.w3.org/2000/svg"
  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value)
      else if (value === true) element.setAttribute(name, "")
      else if (value !== false && value != null) element.setAttribute(name, value)
    }
    element.append(...children.flat(Infinity).filter((child) => child != null && child !== ""))
    return element
  }
  const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children)
  const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children)

  // ------------------------------------------------------------------------------------ the view and its address
  const FILTERS = ["words", "from", "to", "params_from", "params_to", "macs_from", "macs_to"]
  const LISTS = { call: "calls", card: "cards", kind: "kinds", family: "families" }
  const defaults = () => ({
    ...Object.fromEntries(FILTERS.map((name) => [name, ""])),
    ...Object.fromEntries(Object.values(LISTS).map((name) => [name, []])),
    sort: "call", x: "macs", y: part("axes").elements.y.options[0].value, log: true,
  })

  const read = () => {
    const query = new URLSearchParams(location.search)
    const found = defaults()
    for (const name of [...FILTERS, "sort", "x", "y"]) found[name] = query.get(name) ?? found[name]
    for (const [name, list] of Object.entries(LISTS)) found[list] = query.getAll(name)
    found.log = query.get("log") !== "no"
    const fits = (name, value) => [...part("axes").elements[name].options].some((option) => option.value === value)
    for (const name of ["x", "y"]) if (!fits(name, found[name])) found[name] = defaults()[name]
    return found
  }

  const encode = (value) => encodeURIComponent(value).replace(/%20/g, "+").replace(/%2C/g, ",").replace(/%3A/g, ":")
  const address = (view) => {
    const plain = defaults()
    const pairs = [
      ...Object.entries(LISTS).flatMap(([name, list]) => view[list].map((value) => [name, value])),
      ...[...FILTERS, "sort", "x", "y"].filter((name) => view[name] !== plain[name]).map((name) => [name, view[name]]),
      ...(view.log ? [] : [["log", "no"]]),
    ]
    const query = pairs.map(([name, value]) => `${name}=${encode(value)}`).join("&")
    return location.pathname + (query && `?${query}`)
  }

  // A change that goes on, as typing does, stays one step of the history.
  let typing = false
  const go = (changes, { goesOn = false } = {}) => {
    state = { ...state, ...changes }
    drawn = PAGE
    const there = address(state)
    if (there !== location.pathname + location.search) {
      history[goesOn && typing ? "replaceState" : "pushState"](null, "", there)
    }
    typing = goesOn
    render()
  }

  const chosenCalls = () => {
    const ofCards = rows.filter((row) => row.cards.some((card) => state.cards.includes(card.citekey)))
    return unique([...state.calls, ...ofCards.map((row) => row.call)])
  }
  const choose = (calls) => go({ calls, cards: [] })
  const toggle = (call) => {
    const calls = chosenCalls()
    choose(calls.includes(call) ? calls.filter((each) => each !== call) : [...calls, call])
  }

  // ---------------------------------------------------------------------------------------- which rows, which order
  const between = (value, low, high) => !(value < low) && !(value > high) // an unreadable bound bounds nothing
  const haystack = (row) => (row.text ??= [
    row.call, row.family, row.year, ...row.cards.flatMap((card) => [card.citekey, card.name, ...card.labels]),
    ...row.reported.map((each) => each.dataset),
  ].join(" ").toLowerCase())

  const filtered = () => {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean)
    const bound = Object.fromEntries(FILTERS.slice(1).map((name) => [name, readNumber(state[name])]))
    const fits = (row) =>
      (!state.families.length || state.families.includes(row.family)) &&
      (!state.kinds.length || state.kinds.includes(row.kind)) &&
      between(row.year ?? NaN, bound.from, bound.to) &&
      (row.year != null || (isNaN(bound.from) && isNaN(bound.to))) &&
      between(row.params, bound.params_from, bound.params_to) &&
      between(row.macs, bound.macs_from, bound.macs_to) &&
      words.every((word) => haystack(row).includes(word))
    return rows.filter(fits)
  }

  const inSeries = (row, key) => row.reported.filter((each) => `${each.metric}:${each.dataset}` === key)
  const accuracy = (row) => {
    const own = inSeries(row, state.y.includes(":") ? state.y : defaults().y)
    return own.length ? Math.max(...own.map((each) => each.value)) : null
  }
  const worked = { reported: accuracy, kind: kindName }
  const sortValue = (row, name) => (name in worked ? worked[name](row) : row[name])

  const sorted = (found) => {
    const down = state.sort.startsWith("-")
    const name = state.sort.replace(/^-/, "")
    const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true })
    const order = (a, b) => (typeof a === "string" ? compare(a, b) : a - b)
    const keyed = found.map((row) => [sortValue(row, name), row])
    keyed.sort(([a], [b]) => {
      if (a == null || b == null) return (a == null) - (b == null) // what has no value stands last either way
      return down ? order(b, a) : order(a, b)
    })
    return keyed.map(([, row]) => row)
  }

  // -------------------------------------------------------------------------------------------------------- table
  const distinct = (reported) => {
    const groups = new Map()
    for (const each of reported) {
      const key = [each.metric, each.dataset, each.value].join("\n")
      groups.set(key, [...(groups.get(key) ?? []), each])
    }
    return [...groups.values()]
  }
  // What a paper prints; of an error rate, the accuracy that it leaves, too.
  const shownOf = ({ error, value, printed }) => (error ? text("of_error", { value, printed }) : printed)
  const cardName = (row, citekey) => row.cards.find((card) => card.citekey === citekey)?.name ?? citekey
  const sourcesOf = (row, group) => unique(group.map((each) => cardName(row, each.citekey))).join(", ")

  const reportedCell = (row) => h("td", {}, distinct(row.reported).map((group) => h("span", { class: "kb-reported" },
    h("a", { href: group[0].href, title: `${group[0].column}; ${group[0].label}` }, shownOf(group[0])),
    ` ${metricName(group[0].metric)}`,
    h("span", { class: "kb-label" }, `${datasetName(group[0].dataset)} · ${sourcesOf(row, group)}`))))

  const countCell = (row, name) => {
    const least = row.incomplete.length && (name === "macs" || name === "flops")
    const unit = name === "peak_activation_bytes" ? " B" : ""
    return h("td", { class: "kb-number", title: grouped(row[name]) + unit }, showCount(name, row[name]), least ? " ≥" : "")
  }

  const callCode = (call) => h("code", {}, call.split(/(?<=[(_,])(?!\))/).map((piece, at) => [at ? h("wbr") : "", piece]))
  const tableRow = (row, isChosen) => {
    const [card] = row.cards
    const notes = [card.labels.slice(0, 2).join(", "), row.input].filter(Boolean).join(" · ")
    const box = h("input", { type: "checkbox", "aria-label": text("choose", { call: row.call }), onchange: () => toggle(row.call) })
    box.checked = isChosen
    return h("tr", { class: isChosen && "kb-is-chosen", "data-call": row.call },
      h("th", { scope: "row" }, h("div", { class: "kb-call" }, h("label", { class: "kb-choose" }, box),
        h("div", {}, h("a", { href: card.href }, callCode(row.call)), h("span", { class: "kb-label" }, notes)))),
      h("td", {}, row.family, h("span", { class: "kb-label" }, h("a", { href: card.href.split("#")[0] }, card.name))),
      h("td", {}, row.year == null ? "" : String(row.year), row.kind && h("span", { class: "kb-label" }, kindName(row))),
      ["params", "macs", "flops", "activations", "peak_activation_bytes"].map((name) => countCell(row, name)),
      reportedCell(row))
  }

  const drawTable = (found) => {
    const body = part("table").tBodies[0]
    const active = document.activeElement?.closest?.("tr[data-call] input")?.closest("tr").dataset.call
    const chosen = chosenCalls()
    body.replaceChildren(...found.slice(0, drawn).map((row) => tableRow(row, chosen.includes(row.call))))
    if (active) body.querySelector(`tr[data-call="${CSS.escape(active)}"] input`)?.focus({ preventScroll: true })
    if (!found.length) body.append(h("tr", {}, h("td", { colspan: 9 }, text("nothing_fits"))))
    part("more").hidden = found.length <= drawn
    for (const head of part("table").tHead.rows[0].cells) {
      const name = head.dataset.kbSort
      const sort = { [name]: "ascending", [`-${name}`]: "descending" }[state.sort]
      sort ? head.setAttribute("aria-sort", sort) : head.removeAttribute("aria-sort")
    }
  }

  const makeHeads = () => {
    for (const head of part("table").tHead.rows[0].cells) {
      const { kbSort: name } = head.dataset
      const button = h("button", { type: "button" }, [...head.childNodes])
      button.addEventListener("click", () => go({ sort: state.sort === name ? `-${name}` : name }))
      head.replaceChildren(button)
    }
  }

  // ------------------------------------------------------------------------------------------------- side by side
  const signed = (value) => `${value > 0 ? "+" : "−"}${Number(Math.abs(value).toFixed(2))}`
  const versus = (value, base, show) => {
    if (value === base) return ""
    const difference = `${value > base ? "+" : "−"}${show(Math.abs(value - base))}`
    return base ? `×${Number((value / base).toPrecision(3))} (${difference})` : difference
  }
  const compared = (shown, note) => h("td", {}, shown, note ? h("small", {}, note) : "")

  const sideRow = (label, chosen, cell) => h("tr", {}, h("th", { scope: "row" }, label), chosen.map(cell))
  const groupRow = (label, chosen) =>
    h("tr", { class: "kb-side__group" }, h("th", { scope: "rowgroup" }, label), chosen.map(() => h("td")))

  const countRow = (label, chosen, value, show) => {
    const base = value(chosen[0])
    return sideRow(label, chosen, (row) => {
      const cell = compared(show(value(row)), versus(value(row), base, show))
      if (Number.isInteger(value(row))) cell.title = grouped(value(row))
      return cell
    })
  }

  const percent = (share) => (share ? (share < 0.0005 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`) : "–")
  const shareRows = (chosen, index, figure) => unique(chosen.flatMap((row) => Object.keys(row.by_kind)))
    .map((kind) => [kind, chosen.map((row) => (row.by_kind[kind]?.[index] ?? 0) / (row[figure] || 1))])
    .filter(([, shares]) => shares.some(Boolean))
    .sort(([, a], [, b]) => Math.max(...b) - Math.max(...a))
    .map(([kind, shares]) => h("tr", {}, h("th", { scope: "row" }, config.layers[kind] ?? kind), shares.map((share, at) => {
      const bar = h("span", { class: "kb-share", "aria-hidden": "true" })
      bar.style.width = `${100 * share}%`
      const points = at && Math.abs(share - shares[0]) >= 0.0005
        ? h("small", {}, text("points", { difference: signed(Number((100 * (share - shares[0])).toFixed(1))) })) : ""
      return h("td", {}, percent(share), share ? bar : "", points)
    })))

  const reportedRows = (chosen) => {
    const keys = unique(chosen.flatMap((row) => row.reported.map((each) => `${each.metric}:${each.dataset}`)))
    const rank = (key) => ACCURACIES.indexOf(key.split(":")[0])
    return keys.sort((a, b) => rank(a) - rank(b)).map((key) => {
      const [metric, dataset] = [key.split(":")[0], key.slice(key.indexOf(":") + 1)]
      const base = inSeries(chosen[0], key)[0]?.value
      const label = text("reported_on", { metric: metricName(metric), dataset: datasetName(dataset) })
      return sideRow(label, chosen, (row) => h("td", {}, distinct(inSeries(row, key)).map((group) => reportedFigure(row, group, base))))
    })
  }
  const reportedFigure = (row, group, base) => h("div", {}, shownOf(group[0]),
    base != null && group[0].value !== base ? ` (${text("points", { difference: signed(group[0].value - base) })})` : "",
    h("small", {}, group.map((each, at) => [at ? "; " : "",
      h("a", { href: each.href }, `${cardName(row, each.citekey)}: ${each.label || each.call}`)])))

  const sideHead = (row, at) => h("th", { scope: "col" },
    h("a", { href: row.cards[0].href }, callCode(row.call)),
    h("span", { class: "kb-side__tools" },
      at ? h("button", { type: "button", class: "kb-button", "aria-label": text("base", { call: row.call }), onclick: () =>
        choose([row.call, ...chosenCalls().filter((call) => call !== row.call)]) }, text("base_short")) : text("first"),
      h("button", { type: "button", class: "kb-button", "aria-label": text("remove", { call: row.call }), onclick: () => toggle(row.call) }, "×")))

  const drawChosen = () => {
    const calls = chosenCalls()
    const chosen = calls.map((call) => byCall.get(call)).filter(Boolean)
    const unknown = calls.filter((call) => !byCall.has(call))
    say(unknown.length ? text("unknown", { calls: unknown.join(", ") }) : "")
    part("bar").hidden = part("chosen").hidden = !chosen.length
    part("chosen-count").textContent = text("chosen_count", { count: chosen.length })
    part("chosen").replaceChildren(...(chosen.length ? [chosenHead(chosen), sideTable(chosen)] : []))
  }
  const chosenHead = (chosen) => h("div", { class: "kb-chosen__head" }, h("h2", {}, text("chosen")),
    h("span", {}, text("chosen_count", { count: chosen.length })),
    h("button", { type: "button", class: "kb-button", onclick: () => choose([]) }, text("clear")))
  const sideTable = (chosen) => {
    const moved = chosen.map((row) => 4 * (row.params + row.activations))
    const intensity = (row) => (row.flops / moved[chosen.indexOf(row)] || 0)
    const counts = [...numbers.filter((name) => config.texts[name] && !COUNTS.includes(name))]
    const table = h("table", { class: "kb-data kb-side" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text("call")), chosen.map(sideHead))),
      h("tbody", {},
        sideRow(text("cards"), chosen, (row) => h("td", {}, row.cards.map((card, at) =>
          [at ? ", " : "", h("a", { href: card.href }, card.name)]))),
        sideRow(text("year"), chosen, (row) => h("td", {}, row.year == null ? "–" : String(row.year))),
        sideRow(text("input"), chosen, (row) => h("td", {}, row.input)),
        ["params", "macs", "flops", "activations", "peak_activation_bytes"].map((name) =>
          countRow(text(name), chosen, (row) => row[name], (value) => showCount(name, value))),
        reportedRows(chosen),
        counts.map((name) => countRow(text(name), chosen, (row) => row[name], short)),
        countRow(text("intensity"), chosen, intensity, (value) => value.toFixed(1)),
        groupRow(text("share_params"), chosen), shareRows(chosen, 0, "params"),
        groupRow(text("share_macs"), chosen), shareRows(chosen, 1, "macs")))
    table.style.setProperty("--kb-models", chosen.length)
    return h("div", { class: "kb-scroll", tabindex: "0", role: "region", "aria-label": text("chosen") }, table)
  }

  // --------------------------------------------------------------------------------------------------------- plot
  const ROOM = { left: 62, right: 12, top: 18, bottom: 46 }
  const SHAPES = ["circle", "square", "triangle", "diamond", "cross"]

  const axis = (values, start, end, log) => {
    const scaled = (value) => (log ? Math.log10(value) : value)
    let low = Math.min(...values.map(scaled)), high = Math.max(...values.map(scaled))
    const room = (high - low) * 0.05 || Math.abs(high) * 0.05 || 0.05
    low -= room
    high += room
    const unscaled = (value) => (log ? 10 ** value : value)
    const at = (value) => start + ((scaled(value) - low) / (high - low)) * (end - start)
    const ticks = (log ? logTicks(low, high) : linearTicks(low, high))
      .filter((value) => unscaled(low) <= value && value <= unscaled(high))
    return { at, ticks, start, end }
  }
  const range = (low, high) => Array.from({ length: high - low + 1 }, (_, at) => low + at)
  const logTicks = (low, high) => {
    const steps = high - low <= 3 ? [1, 2, 5] : [1]
    return range(Math.floor(low), Math.ceil(high)).flatMap((exponent) => steps.map((step) => Number(`${step}e${exponent}`)))
  }
  const linearTicks = (low, high) => {
    const least = (high - low) / 8
    const decade = 10 ** Math.floor(Math.log10(least))
    const step = [decade, 2 * decade, 5 * decade, 10 * decade].find((size) => size >= least)
    return range(Math.floor(low / step), Math.ceil(high / step)).map((count) => Number((count * step).toPrecision(12)))
  }

  const pointsOf = (found) => {
    const isCount = COUNTS.includes(state.y)
    const points = found.flatMap((row) => isCount
      ? [{ row, x: row[state.x], y: row[state.y], sources: [] }]
      : distinct(inSeries(row, state.y)).map((group) => ({ row, x: row[state.x], y: group[0].value, sources: group })))
      .filter((point) => point.x > 0 && point.y > 0)
      .sort((a, b) => a.x - b.x || b.y - a.y)
    let best = -Infinity
    for (const point of isCount ? [] : points) {
      point.front = point.y > best
      best = Math.max(best, point.y)
    }
    return points
  }

  const thinned = (points, chosen) => {
    if (points.length <= MOST_POINTS) return points
    const step = points.length / MOST_POINTS
    let next = 0
    return points.filter((point, at) => {
      const taken = at >= next
      if (taken) next += step
      return taken || point.front || chosen.includes(point.row.call)
    })
  }

  const axisName = (key) => {
    if (!key.includes(":")) return text(key)
    return `${metricName(key.split(":")[0])} (%), ${datasetName(key.slice(key.indexOf(":") + 1))}`
  }
  const pointHref = ({ row, sources }) =>
    (row.cards.find((card) => card.citekey === sources[0]?.citekey) ?? row.cards[0]).href
  const pointName = (point) => [
    point.row.call,
    `${axisName(state.x)} ${showCount(state.x, point.x)}`,
    point.sources.length ? `${metricName(point.sources[0].metric)} ${shownOf(point.sources[0])}, ${datasetName(point.sources[0].dataset)}, ${sourcesOf(point.row, point.sources)}: ${point.sources[0].label}`
      : `${axisName(state.y)} ${showCount(state.y, point.y)}`,
    point.front ? text("on_front") : "",
  ].filter(Boolean).join("; ")

  const look = (family) => {
    const number = families.indexOf(family)
    return [(number % 8) + 1, SHAPES[Math.floor(number / 8) % SHAPES.length]]
  }
  const pathOf = (points, x, y) => `M${points.map((point) => `${x.at(point.x).toFixed(1)} ${y.at(point.y).toFixed(1)}`).join("L")}`
  // From each point of the front to the next in steps: the best at every cost.
  const frontOf = (points, x, y) => {
    const [first, ...others] = points.filter((point) => point.front)
    const steps = others.map((point) => `H${x.at(point.x).toFixed(1)}V${y.at(point.y).toFixed(1)}`)
    return `M${x.at(first.x).toFixed(1)} ${y.at(first.y).toFixed(1)}${steps.join("")}H${x.end}`
  }
  const linesOf = (points) => {
    const byLine = new Map()
    for (const point of points) {
      const { call, family } = point.row
      const line = nameOf(call).includes(":") ? family : nameOf(call)
      byLine.set(line, [...(byLine.get(line) ?? []), point])
    }
    // Of several at one cost the line takes the best; they are sorted so that it comes first.
    return [...byLine.values()].map((line) => line.filter((point, at) => point.x !== line[at - 1]?.x))
      .filter((line) => line.length > 1)
  }

  const axesOf = (x, y, height) => s("g", { class: "kb-plot__axes", "aria-hidden": "true" },
    x.ticks.map((value) => [s("path", { d: `M${x.at(value)} ${ROOM.top}V${y.start}` }),
      s("text", { x: x.at(value), y: y.start + 16, "text-anchor": "middle" }, tick(value))]),
    y.ticks.map((value) => [s("path", { d: `M${x.start} ${y.at(value)}H${x.end}` }),
      s("text", { x: x.start - 6, y: y.at(value) + 4, "text-anchor": "end" }, tick(value))]),
    s("text", { class: "kb-plot__axis", x: x.end, y: height - 8, "text-anchor": "end" }, `${axisName(state.x)} →`),
    s("text", { class: "kb-plot__axis", x: 4, y: ROOM.top - 6 }, `↑ ${axisName(state.y)}`))

  const pointMark = (point, x, y, isChosen) => {
    const [colour, shape] = look(point.row.family)
    const [cx, cy] = [x.at(point.x), y.at(point.y)]
    const name = pointName(point)
    const classes = ["kb-point", point.front && "kb-point--front", isChosen && "kb-point--chosen"].filter(Boolean).join(" ")
    return s("a", { href: pointHref(point), "aria-label": name, class: classes, tabindex: "-1", "data-call": point.row.call },
      s("title", {}, name),
      point.front || isChosen ? s("circle", { class: "kb-point__ring", cx, cy, r: 7.5 }) : "",
      s("circle", { class: "kb-point__focus", cx, cy, r: 10 }),
      s("use", { class: `kb-mark-${colour}`, href: `#kb-shape-${shape}`, x: cx - 6, y: cy - 6, width: 12, height: 12 }))
  }

  const drawLegend = (points) => part("legend").replaceChildren(...unique(points.map((point) => point.row.family)).sort()
    .map((family) => {
      const [colour, shape] = look(family)
      const mark = s("use", { class: `kb-mark-${colour}`, href: `#kb-shape-${shape}`, width: 12, height: 12 })
      return h("li", {}, s("svg", { class: "kb-key", viewBox: "0 0 12 12", "aria-hidden": "true" }, mark), family)
    }))

  const drawPlot = (found) => {
    const canvas = part("canvas")
    const chosen = chosenCalls()
    const all = pointsOf(found)
    const points = thinned(all, chosen)
    canvas.classList.add("kb-plot__canvas--fitted")
    part("note").textContent = all.length > points.length ? text("thinned", { shown: points.length, all: all.length }) : text("plot_hint")
    drawLegend(points)
    if (!points.length) {
      canvas.replaceChildren(h("p", { class: "kb-empty" }, text("nothing")))
      return drawPointTable([])
    }
    const width = Math.max(280, Math.round(canvas.clientWidth || 760))
    const height = Math.min(460, Math.max(300, Math.round(width * 0.6)))
    const x = axis(points.map((point) => point.x), ROOM.left, width - ROOM.right, state.log)
    const y = axis(points.map((point) => point.y), height - ROOM.bottom, ROOM.top, state.log && COUNTS.includes(state.y))
    const narrow = width < 500
    x.ticks = x.ticks.filter((_, at) => !narrow || x.ticks.length <= 5 || at % 2 === 0)
    const drawing = s("svg", { class: "kb-plot__drawing", viewBox: `0 0 ${width} ${height}`, role: "group", "aria-labelledby": "kb-plot-title kb-plot-what" },
      s("title", { id: "kb-plot-title" }, `${axisName(state.y)} · ${axisName(state.x)}`),
      s("desc", { id: "kb-plot-what" }, text("plot_what")),
      axesOf(x, y, height),
      s("g", { class: "kb-plot__lines", "aria-hidden": "true" },
        linesOf(all).map((line) => s("path", { class: `kb-line-${look(line[0].row.family)[0]}`, d: pathOf(line, x, y) })),
        all.some((point) => point.front) ? s("path", { class: "kb-plot__front", d: frontOf(all, x, y) }) : ""),
      points.map((point) => pointMark(point, x, y, chosen.includes(point.row.call))))
    drawing.querySelector(".kb-point").setAttribute("tabindex", "0")
    canvas.replaceChildren(drawing)
    drawPointTable(points)
  }

  // One stop for the tabulator; the arrows lead from point to point.
  const walk = (event) => {
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }
    const point = event.target.closest(".kb-point")
    if (!point || !(event.key in steps || event.key === "Home" || event.key === "End")) return
    event.preventDefault()
    const points = [...part("canvas").querySelectorAll(".kb-point")]
    const last = points.length - 1
    const to = { Home: 0, End: last }[event.key] ?? Math.min(last, Math.max(0, points.indexOf(point) + steps[event.key]))
    point.setAttribute("tabindex", "-1")
    points[to].setAttribute("tabindex", "0")
    points[to].focus()
  }
  const tell = (event) => {
    const point = event.target.closest?.(".kb-point")
    if (point) part("note").textContent = point.getAttribute("aria-label")
  }

  // The plot in words is made when it is opened: few need it, and it is as long as there are points.
  let pointTable = () => {}
  const drawPointTable = (points) => {
    pointTable = () => {
      const show = (key, value) => (key.includes(":") ? String(value) : grouped(value))
      const table = h("table", { class: "kb-data" },
        h("thead", {}, h("tr", {}, [text("call"), axisName(state.x), axisName(state.y), text("source"), text("front")]
          .map((name, at) => h("th", { scope: "col", class: (at === 1 || at === 2) && "kb-number" }, name)))),
        h("tbody", {}, points.map((point) => h("tr", {},
          h("th", { scope: "row" }, h("a", { href: pointHref(point) }, h("code", {}, point.row.call))),
          h("td", { class: "kb-number" }, show(state.x, point.x)), h("td", { class: "kb-number" }, show(state.y, point.y)),
          h("td", {}, point.sources.map((each, at) => [at ? ", " : "", h("a", { href: each.href }, `${cardName(point.row, each.citekey)}: ${each.label}`)])),
          h("td", {}, point.front ? text("yes") : "")))))
      part("points").querySelector(".kb-scroll").replaceChildren(table)
    }
    if (part("points").open) pointTable()
  }

  // ---------------------------------------------------------------------------------------------------- downloads
  const shownRows = () => {
    const chosen = chosenCalls().map((call) => byCall.get(call)).filter(Boolean)
    return chosen.length ? chosen : sorted(filtered())
  }
  const asCsv = (lines) => lines.map((line) => line.map((value) => {
    const written = String(value ?? "")
    return /[",\r\n]/.test(written) ? `"${written.replace(/"/g, '""')}"` : written
  }).join(",")).join("\r\n") + "\r\n"

  const csvOf = (found) => {
    const kinds = unique(rows.flatMap((row) => Object.keys(row.by_kind))).sort()
    const byKind = kinds.flatMap((kind) => [`params:${kind}`, `macs:${kind}`])
    const header = ["call", "family", "year", "kind", "citekeys", "href", "input", ...numbers, "flops", "incomplete", ...byKind]
    const lines = found.map((row) => [row.call, row.family, row.year, row.kind,
      row.cards.map((card) => card.citekey).join(";"), row.cards[0].href, row.input, ...numbers.map((name) => row[name]), row.flops,
      row.incomplete.join(";"), ...kinds.flatMap((kind) => row.by_kind[kind] ?? [0, 0])])
    return asCsv([header, ...lines])
  }
  const jsonOf = (found) => `${JSON.stringify({ format: 1, calls: found.map(({ text: _, ...row }) => row) }, null, 1)}\n`

  const save = (name, type, content) => {
    const url = URL.createObjectURL(new Blob([content], { type }))
    const link = h("a", { href: url, download: name, target: "_self" })
    root.append(link)
    link.click()
    link.remove()
    setTimeout(() => URL.revokeObjectURL(url), 1000)
  }

  // ------------------------------------------------------------------------------------------------------ the page
  const say = (message) => {
    part("trouble").textContent = message
    part("trouble").hidden = !message
  }

  const isFiltered = () => [...FILTERS.slice(1), "kinds", "families"].some((name) => state[name].length)
  const fillForms = () => {
    if (isFiltered()) part("filter-details").open = true
    const filters = part("filters").elements
    for (const name of FILTERS) if (filters[name].value !== state[name]) filters[name].value = state[name]
    filters.sort.value = state.sort.replace(/^-/, "")
    filters.down.checked = state.sort.startsWith("-")
    for (const box of part("filters").querySelectorAll("fieldset [type=checkbox]")) {
      box.checked = state[LISTS[box.name]].includes(box.value)
    }
    const axes = part("axes").elements
    for (const name of ["x", "y"]) axes[name].value = state[name]
    axes.log.checked = state.log
  }

  const steps = (found) => [
    () => {
      fillForms()
      part("count").textContent = text("count", { shown: found.length, all: rows.length })
    },
    drawChosen,
    () => drawPlot(found),
    () => drawTable(sorted(found)),
  ]
  const render = () => steps(filtered()).forEach((step) => step())

  // When the page comes, it takes a breath between two steps, so that it answers meanwhile.
  const renderAtLeisure = async () => {
    for (const step of steps(filtered())) {
      await new Promise((resume) => setTimeout(resume))
      step()
    }
  }

  const readFilters = () => {
    const form = part("filters")
    const checked = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value)
    return {
      ...Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value.trim()])),
      kinds: checked("kind"), families: checked("family"),
      sort: (form.elements.down.checked ? "-" : "") + (form.elements.sort.value || "call"),
    }
  }

  const listen = () => {
    part("filters").addEventListener("input", ({ target }) => go(readFilters(), { goesOn: target.matches("input:not([type=checkbox])") }))
    part("filters").addEventListener("submit", (event) => event.preventDefault())
    part("filters").addEventListener("reset", (event) => {
      event.preventDefault()
      const plain = defaults()
      go(Object.fromEntries([...FILTERS, "kinds", "families"].map((name) => [name, plain[name]])))
    })
    part("axes").addEventListener("change", ({ currentTarget: { elements } }) =>
      go({ x: elements.x.value, y: elements.y.value, log: elements.log.checked }))
    part("more").firstElementChild.addEventListener("click", () => {
      drawn += 2 * PAGE
      drawTable(sorted(filtered()))
    })
    part("canvas").addEventListener("keydown", walk)
    for (const kind of ["focusin", "pointerover"]) part("canvas").addEventListener(kind, tell)
    part("points").addEventListener("toggle", () => part("points").open && pointTable())
    part("bar").querySelector("[name=clear]").addEventListener("click", () => choose([]))
    part("bar").querySelector("[name=see]").addEventListener("click", () => {
      part("chosen").scrollIntoView()
      part("chosen").focus({ preventScroll: true })
    })
    part("view").querySelector("[name=json]").addEventListener("click", () =>
      save("models.json", "application/json", jsonOf(shownRows())))
    part("view").querySelector("[name=csv]").addEventListener("click", () =>
      save("models.csv", "text/csv", csvOf(shownRows())))
  }

  // The page may be replaced without the window: what listens to the window then goes with it.
  const listenToWindow = () => {
    const gone = new AbortController()
    const whileHere = (action) => () => (root.isConnected ? action() : gone.abort())
    window.addEventListener("popstate", whileHere(() => {
      state = read()
      typing = false
      render()
    }), { signal: gone.signal })
    let width = part("canvas").clientWidth
    window.addEventListener("resize", whileHere(() => {
      if (part("canvas").clientWidth === width) return
      width = part("canvas").clientWidth
      drawPlot(filtered())
    }), { signal: gone.signal })
  }

  // Where the chosen ones are in view, no bar has to lead there.
  const watchChosen = () => new IntersectionObserver(([{ isIntersecting }]) =>
    part("bar").classList.toggle("kb-bar-below--idle", isIntersecting)).observe(part("chosen"))

  const start = async ({ calls }) => {
    rows = calls
    byCall = new Map(rows.map((row) => [row.call, row]))
    families = unique(rows.map((row) => row.family)).sort()
    for (const name of ["filters", "axes", "view"]) part(name).hidden = false
    part("cut")?.remove()
    makeHeads()
    listen()
    listenToWindow()
    watchChosen()
    part("filter-details").open = matchMedia("(min-width: 45em)").matches
    state = read()
    await renderAtLeisure()
    root.dataset.ready = "yes"
  }

  const fetched = () => fetch(new URL(config.address, location.href)).then((answer) => {
    if (!answer.ok) throw new Error(answer.statusText)
    return answer.json()
  })
  if (embedded) start(embedded)
  else fetched().then(start, () => say(text("unreachable")))
})()
