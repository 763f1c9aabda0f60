"""Figures of this machine: ``python -m studio.bench`` prints them as a table and as JSON."""
