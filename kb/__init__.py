"""kb: paper notes whose numbers are tested by the models that they describe."""
