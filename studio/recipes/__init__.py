"""Recipes that travel: what any picture of this or another studio tells, as values of a request."""

from studio.recipes.files import is_picture
from studio.recipes.read import read_picture, read_text
from studio.recipes.recipe import Recipe

__all__ = ["Recipe", "is_picture", "read_picture", "read_text"]
