-- The database of kb export sqlite. `card` is a citekey, after its language for the second card of a paper: en/K.
CREATE TABLE cards (
  card TEXT PRIMARY KEY, citekey TEXT NOT NULL, lang TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  title TEXT NOT NULL, authors TEXT NOT NULL, et_al INTEGER NOT NULL, venue TEXT NOT NULL, year INTEGER,
  tags TEXT NOT NULL, citation TEXT NOT NULL, arxiv TEXT NOT NULL, doi TEXT NOT NULL, url TEXT NOT NULL,
  code TEXT NOT NULL, date TEXT NOT NULL, updated TEXT NOT NULL, status TEXT NOT NULL, page TEXT NOT NULL
);
CREATE TABLE authors (
  card TEXT NOT NULL REFERENCES cards(card), position INTEGER NOT NULL, name TEXT NOT NULL,
  PRIMARY KEY (card, position)
);
CREATE TABLE tags (
  card TEXT NOT NULL REFERENCES cards(card), tag TEXT NOT NULL,
  PRIMARY KEY (card, tag)
);
CREATE TABLE aliases (
  card TEXT NOT NULL REFERENCES cards(card), alias TEXT NOT NULL,
  PRIMARY KEY (card, alias)
);
CREATE TABLE sections (
  id INTEGER PRIMARY KEY, card TEXT NOT NULL REFERENCES cards(card), section TEXT NOT NULL, heading TEXT NOT NULL,
  line INTEGER NOT NULL, markdown TEXT NOT NULL
);
-- Also the calls that cards name and nobody has measured: their numbers are NULL.
CREATE TABLE measurements (
  call TEXT PRIMARY KEY, input TEXT, params INTEGER, weights INTEGER, biases INTEGER, normalisation INTEGER,
  buffers INTEGER, macs INTEGER, activations INTEGER, peak_activation_bytes INTEGER, largest_activation INTEGER,
  classifier_params INTEGER, classifier_macs INTEGER, flops INTEGER, classifier TEXT, incomplete TEXT, versions TEXT,
  fingerprint TEXT
);
CREATE TABLE kinds (
  call TEXT NOT NULL REFERENCES measurements(call), kind TEXT NOT NULL, params INTEGER NOT NULL, macs INTEGER NOT NULL,
  PRIMARY KEY (call, kind)
);
CREATE TABLE results (
  id INTEGER PRIMARY KEY, card TEXT NOT NULL REFERENCES cards(card), section TEXT NOT NULL, line INTEGER NOT NULL,
  label TEXT NOT NULL, call TEXT REFERENCES measurements(call), metric TEXT NOT NULL, printed TEXT NOT NULL,
  unit TEXT NOT NULL, value NUMERIC NOT NULL, verdict TEXT NOT NULL, measured INTEGER, counted INTEGER,
  conventions TEXT NOT NULL, by_call TEXT NOT NULL, low NUMERIC, high NUMERIC, provisional INTEGER NOT NULL
);
CREATE TABLE links (
  id INTEGER PRIMARY KEY, card TEXT NOT NULL REFERENCES cards(card), kind TEXT NOT NULL, target TEXT NOT NULL,
  to_card TEXT REFERENCES cards(card), section TEXT NOT NULL, sentence TEXT NOT NULL, line INTEGER NOT NULL
);
CREATE INDEX authors_name ON authors(name);
CREATE INDEX tags_tag ON tags(tag);
CREATE INDEX sections_card ON sections(card);
CREATE INDEX results_card ON results(card);
CREATE INDEX results_call ON results(call);
CREATE INDEX links_card ON links(card);
CREATE INDEX links_to_card ON links(to_card);
-- Finds any three characters or more, Chinese too.
CREATE VIRTUAL TABLE sections_fts USING fts5(
  heading, markdown, content="sections", content_rowid="id", tokenize='trigram'
);
