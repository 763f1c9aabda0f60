"""Pictures without any model: read safely, fitted, masked, put together, written. Pillow and numpy.

Everything here takes its time (a large photo, a second): never on an event loop.
"""

from studio.images.encode import encode_png, encode_preview, thumbnail

__all__ = ["encode_png", "encode_preview", "thumbnail"]
