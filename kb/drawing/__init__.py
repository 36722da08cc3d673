"""Pictures as SVG: pure functions from numbers and texts to markup, in which every text is escaped.

A picture takes its colours from classes (`kb-fill-3`), so that it reads well in both palettes; a drawing that stands
by itself, as on GitHub, brings along a style sheet. Numbers are written with few digits: the same numbers give the
same bytes on any machine. Nothing here knows of cards, and a page gives the table beside each picture.
"""
