"""Every picture ever made: files on disk, an index over them, search, favourites and a bin."""

from studio.gallery.gallery import Gallery
from studio.gallery.picture import Picture

__all__ = ["Gallery", "Picture"]
