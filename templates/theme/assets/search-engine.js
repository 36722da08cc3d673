// The search engine: looks words up in the files that kb/search makes, each of them loaded when it is asked for.
// They are scripts that call `kbSearch.take`, since a page that was opened from a folder may load nothing else.
//
// kb/search/words.py says what terms a text has, kb/search/shards.py which file a term is in; here is the same for
// queries. All of a query's words must occur; where they do not, see `answer` for what is tried.
(() => {
  const CJK = "\\u3005\\u3007\\u3040-\\u309a\\u309d-\\u30fa\\u30fc-\\u30ff\\u31f0-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff"
    + "\\uac00-\\ud7a3\\uf900-\\ufaff\\u{20000}-\\u{3ffff}"
  const JOINERS = "\\-_./'&+:@,\\u00b7\\u2010\\u2011\\u2013\\u2019"
  const WORD = `(?:(?![${CJK}])[\\p{L}\\p{N}])+`
  const TOKEN = new RegExp(`[${CJK}]+|${WORD}(?:[${JOINERS}]${WORD})*`, "gu")
  const JOINER = new RegExp(`[${JOINERS}]`, "gu")
  const IS_CJK = new RegExp(`^[${CJK}]`, "u")
  const ALIKE = { "ß": "ss", "ς": "σ", "ø": "o", "đ": "d", "ł": "l" }
  const LONGEST = 64
  const BACKWARDS = "<", FACET = "="

  // --------------------------------------------------------------------------------------------------- words
  const isPlain = (text) => /^[\x00-\x7f\u3000-\u303f\u3400-\u9fff]*$/.test(text)

  const fold = (text) => {
    if (isPlain(text)) return text.toLowerCase()
    const bare = text.normalize("NFKC").normalize("NFD").replace(/\p{Mn}/gu, "").normalize("NFC").toLowerCase()
    return bare.replace(/[ßςøđł]/g, (mark) => ALIKE[mark])
  }

  const marksOf = (text) => [...text]
  const joined = (token) => token.replace(JOINER, "")

  // What a query asks for: runs of Chinese, and words, which marks may join.
  const asked = (query) => [...new Set(fold(query).match(TOKEN) ?? [])].map((token) => IS_CJK.test(token)
    ? { run: token }
    : { word: marksOf(joined(token)).slice(0, LONGEST).join(""), parts: token.split(JOINER).filter(Boolean) })

  const pairs = (run) => {
    const marks = marksOf(run)
    return marks.length < 2 ? marks : marks.slice(1).map((mark, at) => marks[at] + mark)
  }

  // ------------------------------------------------------------------------------------------------ postings
  const VALUES = new Int8Array(128)
  ;[..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].forEach((letter, value) => {
    VALUES[letter.charCodeAt(0)] = value
  })

  // The documents in a text, with their levels.
  const decode = (text, levels = new Map()) => {
    let value = 0, shift = 0, number = 0
    for (let at = 0; at < text.length; at++) {
      const group = VALUES[text.charCodeAt(at)]
      value |= (group & 31) << shift
      if (group > 31) {
        shift += 5
        continue
      }
      number += value >>> 4
      if ((levels.get(number) ?? -1) < (value & 15)) levels.set(number, value & 15)
      value = shift = 0
    }
    return levels
  }

  // --------------------------------------------------------------------------------------------------- files
  const taken = new Map() // by name, what waits for a file
  const take = (name, data) => taken.get(name)?.(data)

  const insertScript = (url, failed) => {
    const script = document.createElement("script")
    script.src = url
    script.onerror = () => failed(new Error(`${url} could not be loaded`))
    script.onload = () => script.remove()
    document.head.append(script)
  }

  const hex = (text) => [...new TextEncoder().encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("")

  const kept = (make) => {
    const known = new Map()
    return (key) => {
      if (!known.has(key)) known.set(key, make(key).catch((error) => { known.delete(key); throw error }))
      return known.get(key)
    }
  }

  const open = (base, insert = insertScript) => {
    const load = (name, path) => new Promise((resolve, reject) => {
      taken.set(name, resolve)
      insert(new URL(path, base).href, reject)
    }).finally(() => taken.delete(name))

    const manifest = kept(async () => {
      const data = await load("index", "index.js")
      return { ...data, leaves: new Map(Object.entries(data.leaves)), forks: new Map(Object.entries(data.forks)) }
    })

    // A leaf is its terms with their postings, a fork those of its own term, and those of all that begin so.
    const leaf = kept(async (beginning) => {
      const lines = (await load(`t${hex(beginning)}`, `t${hex(beginning)}.js`)).split("\n")
      return new Map(lines.filter(Boolean).map((line) => {
        const end = line.lastIndexOf(" ")
        return [line.slice(0, end), line.slice(end + 1)]
      }))
    })
    const fork = kept((beginning) => load(`t${hex(beginning)}`, `t${hex(beginning)}.js`))
    const record = kept((number) => {
      const name = number.toString(16).padStart(6, "0")
      return load(name, `documents/${name}.js`)
    })

    // Where a term is: a step on the way to it that is a leaf, or, once all are forks, itself; null where nowhere.
    const home = ({ leaves, forks }, term) => {
      const marks = marksOf(term)
      for (let at = 0, before = ""; ; before += marks[at++]) {
        const code = marks[at]?.codePointAt(0)
        const digits = code === undefined ? "" : (code & 15).toString(16) + (code >> 4 & 15).toString(16)
        for (const step of code === undefined ? [before] : [before, `${before}\n${digits[0]}`, `${before}\n${digits}`]) {
          if (leaves.has(step)) return { leaf: step }
          if (!forks.has(step)) return null
        }
        if (code === undefined) return { fork: term }
      }
    }

    // The postings of a term, and of those that begin with it.
    const postings = async (term, beginning = false) => {
      const files = await manifest("index")
      const found = home(files, term)
      if (!found) return { own: "", longer: [] }
      if (found.leaf === undefined) {
        // A fork without documents of its own, that nobody looks up by its beginning, has no file.
        if (!beginning && !files.forks.get(term)) return { own: "", longer: [] }
        const [own, all] = await fork(term)
        return { own, longer: [all] }
      }
      const terms = await leaf(found.leaf)
      const longer = beginning ? [...terms].filter(([each]) => each.startsWith(term) && each !== term) : []
      return { own: terms.get(term) ?? "", longer: longer.map(([, text]) => text) }
    }

    return { manifest: () => manifest("index"), home, leaf, postings, record, ...searcher({ manifest, home, leaf, postings }) }
  }

  // ------------------------------------------------------------------------------------------------- matching
  // A level is worth this much: a name about four times a tag, a tag about four times the text.
  const worth = (level) => 2 ** (level / 2.5)
  const FOR_BEGINNING = 0.5, FOR_MISSPELT = 0.4

  const weighed = (levels, factor, into = new Map()) => {
    for (const [number, level] of levels) into.set(number, Math.max(into.get(number) ?? 0, factor * worth(level)))
    return into
  }

  // Documents that are in all of these, worth their least.
  const both = (all) => {
    const [first, ...rest] = [...all].sort((a, b) => a.size - b.size)
    const found = new Map()
    for (const [number, value] of first) {
      const others = rest.map((each) => each.get(number))
      if (!others.includes(undefined)) found.set(number, Math.min(value, ...others))
    }
    return found
  }

  const searcher = ({ manifest, home, leaf, postings }) => {
    const word = async (term) => {
      const { own, longer } = await postings(term, true)
      const beginnings = longer.reduce((levels, text) => decode(text, levels), new Map())
      return weighed(decode(own), 1, weighed(beginnings, FOR_BEGINNING))
    }

    const character = async (mark) => {
      const { own, longer } = await postings(mark, true)
      return weighed([own, ...longer].reduce((levels, text) => decode(text, levels), new Map()), 1)
    }

    const pair = async (term) => weighed(decode((await postings(term)).own), 1)

    const run = async (text) => {
      const marks = marksOf(text)
      return marks.length < 2 ? character(text) : both(await Promise.all(pairs(text).map(pair)))
    }

    const isLetter = (mark) => /\p{L}/u.test(mark)

    // All words that differ from this one by a letter too many, too few, wrong, or out of its place. Where the
    // beginning is wrong, the word is looked for backwards: its end is right, and so few files may hold it.
    const variants = (term) => {
      const marks = marksOf(term), half = marks.length >> 1
      const letters = new Set([..."abcdefghijklmnopqrstuvwxyz", ...marks.filter(isLetter)])
      const found = new Map()
      const add = (at, start, ...more) => {
        const variant = [...start, ...more].join("")
        if (variant !== term && !found.has(variant)) found.set(variant, at < half)
      }
      for (let at = 0; at <= marks.length; at++) {
        const start = marks.slice(0, at), end = marks.slice(at)
        const isHere = end.length && isLetter(end[0])
        for (const letter of letters) {
          add(at, start, letter, ...end)
          if (isHere) add(at, start, letter, ...end.slice(1))
        }
        if (isHere) add(at, start, ...end.slice(1))
        if (isHere && end.length > 1 && isLetter(end[1])) add(at, start, end[1], end[0], ...end.slice(2))
      }
      return found
    }

    const exists = async (files, term) => {
      const found = home(files, term)
      if (!found) return false
      return found.leaf === undefined ? files.forks.get(term) > 0 : (await leaf(found.leaf)).has(term)
    }

    const isSpelt = (term) => /^\p{L}/u.test(term) && marksOf(term).filter(isLetter).length > 3

    const respelt = async (term) => {
      if (!isSpelt(term)) return []
      const files = await manifest("index")
      const found = await Promise.all([...variants(term)].map(async ([variant, backwards]) =>
        (await exists(files, backwards ? BACKWARDS + marksOf(variant).reverse().join("") : variant)) && variant))
      return found.filter(Boolean)
    }

    // The documents for a word: as it is, else by its parts, else by what it may be a misspelling of.
    const lookUp = async (each) => {
      if (each.run) return { ...each, found: await run(each.run), marks: [each.run] }
      const found = await word(each.word)
      if (found.size) return { ...each, found, marks: [each.word] }
      if (each.parts.length > 1) {
        const parts = both(await Promise.all(each.parts.map(word)))
        if (parts.size) return { ...each, found: parts, marks: each.parts }
      }
      const others = await respelt(each.word)
      const levels = await Promise.all(others.map(async (other) => decode((await postings(other)).own)))
      levels.forEach((one) => weighed(one, FOR_MISSPELT, found))
      return { ...each, found, marks: others, respelt: others }
    }

    // Two words in a query may be one in a text: `depth wise`.
    const joinedUp = async (terms) => {
      for (let at = 0; at + 1 < terms.length; at++) {
        if (!terms[at].word || !terms[at + 1].word) continue
        const text = terms[at].word + terms[at + 1].word
        const found = await word(text)
        if (found.size) return [...terms.slice(0, at), { word: text, parts: [text], found, marks: [text] }, ...terms.slice(at + 2)]
      }
      return null
    }

    const rarity = (count, size) => Math.log(1 + count / Math.max(1, size))

    const scored = (terms, count, all) => {
      const scores = new Map(), shares = new Map()
      for (const { found } of terms) {
        const rare = rarity(count, found.size)
        for (const [number, value] of found) {
          scores.set(number, (scores.get(number) ?? 0) + rare * value)
          shares.set(number, (shares.get(number) ?? 0) + 1)
        }
      }
      for (const [number, share] of shares) {
        if (all && share < terms.length) scores.delete(number)
        else scores.set(number, scores.get(number) * (share / terms.length) ** 3)
      }
      return scores
    }

    const inPieces = async (terms) => (await Promise.all(terms.map(async (each) => {
      const pieces = each.run ? pairs(each.run) : []
      if (pieces.length < 2) return [each]
      return Promise.all(pieces.map(async (run) => ({ run, found: await pair(run), marks: [run] })))
    }))).flat()

    // The documents that a query is about, the best first. All words are in them; else two neighbours as one; else,
    // as `loose`, whatever holds some of the words, or of the pairs of characters in a run of Chinese.
    const answer = async (query) => {
      const { count } = await manifest("index")
      let terms = await Promise.all(asked(query).map(lookUp))
      if (!terms.length) return { scores: new Map(), terms, loose: false }
      let scores = scored(terms, count, true)
      if (!scores.size) {
        const others = await joinedUp(terms)
        if (others) [terms, scores] = [others, scored(others, count, true)]
      }
      const loose = !scores.size
      if (loose) [terms, scores] = await inPieces(terms).then((pieces) => [pieces, scored(pieces, count, false)])
      return { scores, terms, loose }
    }

    // --------------------------------------------------------------------------------------------- facets
    // All values of all facets, or of one, with the documents that have them.
    const facets = kept(async (one) => {
      const files = await manifest("index")
      const beginning = one ? `${FACET}${one}=` : FACET
      const first = home(files, beginning)
      const leaves = first?.leaf !== undefined ? [first.leaf] : [...files.leaves.keys()].filter((each) => each.startsWith(beginning))
      const forks = [...files.forks.keys()].filter((each) => each.startsWith(beginning) && files.forks.get(each))
      const found = new Map()
      const add = (term, text) => {
        if (!term.startsWith(beginning)) return
        const [, name, ...value] = term.split("=")
        if (!found.has(name)) found.set(name, new Map())
        found.get(name).set(value.join("="), new Set(decode(text).keys()))
      }
      for (const terms of await Promise.all(leaves.map(leaf))) for (const [term, text] of terms) add(term, text)
      for (const term of forks) add(term, (await postings(term)).own)
      return found
    })

    return { answer, facets }
  }

  // -------------------------------------------------------------------------------------------------- showing
  // A text as it is searched, and for each of its characters the place in the text that it comes from.
  const folded = (text) => {
    if (isPlain(text)) return { text: text.toLowerCase(), at: (index) => index }
    let out = ""
    const places = []
    for (let index = 0; index < text.length;) {
      const mark = String.fromCodePoint(text.codePointAt(index)), plain = fold(mark)
      for (let n = 0; n < plain.length; n++) places.push(index)
      out += plain
      index += mark.length
    }
    places.push(text.length)
    return { text: out, at: (index) => places[index] }
  }

  // Letters may be joined by marks or not: hswish is seen in h-swish. Short words are only seen where words begin.
  const patternOf = (mark) => {
    const body = marksOf(mark).map((each) => each.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    if (IS_CJK.test(mark)) return body.join("")
    return (body.length < 3 ? "(?<![\\p{L}\\p{N}])" : "") + body.join(`[${JOINERS}]?`)
  }

  const patterns = (terms) => terms.map(({ marks }) => marks.length
    ? new RegExp(marks.map(patternOf).join("|"), "gu") : /(?!)/gu)

  // Where the marks of terms stand in a text, from and to, in order and apart.
  const places = (text, regexes) => {
    const { text: plain, at } = folded(text)
    const found = regexes.flatMap((regex, term) => [...plain.matchAll(regex)].map((hit) =>
      ({ term, from: at(hit.index), to: at(hit.index + hit[0].length) })))
    found.sort((a, b) => a.from - b.from || b.to - a.to)
    return found.filter((each, n) => !found.slice(0, n).some((other) => other.to > each.from))
  }

  globalThis.kbSearch = { take, open, fold, asked, patterns, places, TOKEN }
})()
