"""Weights: what there is on disk (catalog), what is loaded (store), and one file per family."""
