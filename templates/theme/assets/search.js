// The search worker, in place of Material's: it answers the same messages, but looks for what was typed, as it was
// typed, in texts of any script. Material's own splits Chinese into words and cannot find a part of one.
//
// A page matches if all terms occur in it. Where no page has them all, Chinese terms are halved into pairs of
// characters and pages are ranked by how much of the query they hold.

const SETUP = 0, READY = 1, QUERY = 2, RESULT = 3
const MOST_RESULTS = 50
const WEIGHT = { title: 60, lead: 12, heading: 10, text: 2 }

let pages = []

// ------------------------------------------------------------------------------------------------ reading
const ENTITIES = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" }
const plain = (html) => html
  .replace(/<(\/?)(p|li|ul|ol|pre)>/g, " ")
  .replace(/<[^>]*>/g, "")
  .replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity])
  .replace(/\u200b/g, "")
  .replace(/\s+/g, " ")
  .trim()

const escaped = (text) => text.replace(/[&<>"]/g, (mark) => `&#${mark.charCodeAt(0)};`)

const readPages = (docs) => {
  const byPath = new Map()
  for (const doc of docs) {
    const [path] = doc.location.split("#")
    const section = { location: doc.location, title: plain(doc.title), text: plain(doc.text), lead: !byPath.has(path) }
    if (section.lead) byPath.set(path, { boost: doc.boost ?? 1, sections: [] })
    byPath.get(path).sections.push(section)
  }
  return [...byPath.values()]
}

// ----------------------------------------------------------------------------------------------- matching
const HAN = /\p{Script=Han}{3,}/gu
const termsOf = (query) => query.normalize("NFKC").toLowerCase().split(/[\s"“”，。、；：？！（）《》]+/).filter(Boolean)
const pairs = (run) => [...run].slice(1).map((mark, at, marks) => (at ? marks[at - 1] : [...run][0]) + mark)
const halved = (terms) => terms.flatMap((term) => {
  const runs = term.match(HAN) ?? []
  return runs.length ? [...runs.flatMap(pairs), ...term.split(HAN).filter(Boolean)] : [term]
})

// Letters may be hyphenated or not: depthwise finds depth-wise, h-swish finds hswish.
const pattern = (term) => {
  const marks = [...term].filter((mark) => !/[-‐‑_]/.test(mark))
  const body = (marks.length ? marks : [...term]).map((mark) => mark.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
  return new RegExp(body.join("[-‐‑_]?"), "giu")
}

const count = (term, text) => {
  let whole = 0, inside = 0
  for (const { index } of text.matchAll(term.pattern)) {
    const startsWord = !/[\p{L}\p{N}]$/u.test(text.slice(Math.max(0, index - 2), index)) || !/^[a-z0-9]/i.test(text[index])
      || /\p{Script=Han}$/u.test(text.slice(0, index))
    startsWord ? whole++ : inside++
  }
  return whole + (term.text.length > 3 ? inside / 8 : 0)
}

const titleScore = (term, title) => {
  const found = count(term, title)
  if (!found) return 0
  const rest = title.length - term.text.length
  return found * (1 + 2 / (1 + Math.max(0, rest)))
}

const sectionScore = (term, section) => {
  const title = titleScore(term, section.title) * (section.lead ? WEIGHT.title : WEIGHT.heading)
  return title + Math.log2(1 + count(term, section.text)) * (section.lead ? WEIGHT.lead : WEIGHT.text)
}

// A card in two languages is found once, in the one that matches better: en/cards/K.html is cards/K.html again.
const paper = ({ page }) => page.sections[0].location.replace(/^[a-z]{2,3}\/(?=cards\/)/, "")
const oneOfEach = (results) => {
  const seen = new Set()
  return results.filter((result) => !seen.has(paper(result)) && seen.add(paper(result)))
}

const search = (terms, all) => {
  const results = []
  for (const page of pages) {
    const scores = page.sections.map((section) => terms.map((term) => sectionScore(term, section)))
    const found = terms.map((_, at) => scores.some((each) => each[at] > 0))
    const share = found.filter(Boolean).length / terms.length
    if (!share || (all && share < 1)) continue
    // How often a term occurs matters less and less; where it occurs matters more.
    const byTerm = terms.map((_, at) => scores.reduce((sum, each) => sum + each[at], 0))
    const score = byTerm.reduce((sum, each) => sum + each, 0) * share ** 3 * page.boost
    results.push({ page, score, sections: scores.map((each) => each.reduce((sum, one) => sum + one, 0)), found })
  }
  return oneOfEach(results.sort((a, b) => b.score - a.score)).slice(0, MOST_RESULTS)
}

// ------------------------------------------------------------------------------------------------ showing
const marked = (text, terms) => {
  const all = new RegExp(terms.map((term) => term.pattern.source).join("|"), "giu")
  let html = "", end = 0
  for (const { 0: hit, index } of text.matchAll(all)) {
    html += `${escaped(text.slice(end, index))}<mark>${escaped(hit)}</mark>`
    end = index + hit.length
  }
  return html + escaped(text.slice(end))
}

const teaser = (text, terms) => {
  const first = Math.min(...terms.map((term) => text.search(term.pattern)).filter((at) => at >= 0))
  const start = Number.isFinite(first) ? Math.max(0, first - 40) : 0
  const cut = text.slice(start, start + 160)
  return `${start ? "…" : ""}${marked(cut, terms)}${start + 160 < text.length ? "…" : ""}`
}

const shown = ({ page, sections, found }, terms) => {
  const words = Object.fromEntries(terms.map((term, at) => [term.text, found[at]]))
  const items = page.sections.map((section, at) => ({
    location: section.location,
    title: marked(section.title, terms),
    text: section.text ? `<p>${teaser(section.text, terms)}</p>` : "",
    score: sections[at],
    terms: words,
  }))
  const best = items.slice(1).filter((item) => item.score > 0).sort((a, b) => b.score - a.score)
  return [items[0], ...best]
}

const suggestions = (terms) => {
  const last = terms.at(-1).text
  const words = pages.flatMap((page) => page.sections[0].title.toLowerCase().split(/\s+/))
  return words.filter((word) => word.startsWith(last) && word !== last).slice(0, 1)
}

const answer = (query) => {
  const given = [...new Set(termsOf(query))]
  const prepare = (texts) => [...new Set(texts)].map((text) => ({ text, pattern: pattern(text) }))
  let terms = prepare(given)
  if (!terms.length) return { items: [] }
  let results = search(terms, true)
  if (!results.length) results = search((terms = prepare(halved(given))), false)
  return { items: results.map((result) => shown(result, terms)), suggest: suggestions(prepare(given)) }
}

addEventListener("message", ({ data: { type, data } }) => {
  if (type === SETUP) {
    pages = readPages(data.docs)
    postMessage({ type: READY })
  } else if (type === QUERY) {
    postMessage({ type: RESULT, data: answer(data) })
  }
})
