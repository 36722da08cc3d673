"""The search index: static files that a browser looks words up in, made from documents and nothing else.

`entry` says what one document adds to the index, and depends on that document alone: it can be made anywhere, kept, and
pickled. `index` makes all files from all entries. `update` gives the files that differ when some entries do, to the
byte what `index` would give, and reads and writes those alone. See `tree` for how the files are cut.
"""

from kb.search.documents import Document, Entry, Part, entry
from kb.search.indexing import FOLDER, index, update

__all__ = ["FOLDER", "Document", "Entry", "Part", "entry", "index", "update"]
