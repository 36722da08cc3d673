"""Importers, a file per source: each reads what other programs wrote, and gives the notes to write.

An importer is pure: texts in, `records.NewNote` out. `reading` brings their results together, `kb.importing` writes.
"""
