"""Two figures of the small knowledge base."""

Figure = dict[str, object]


def widths() -> Figure:
    """A line."""
    return {"series": [{"x": [1, 2], "y": [1, 4]}]}


def depths(networks: tuple[int, ...] = (11, 16)) -> "Figure":
    """Another, annotated as a text."""
    return {"series": [{"x": networks, "y": networks}]}


def _helper() -> Figure:
    return {}
