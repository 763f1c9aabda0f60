"""The studio for programs: REST routes over the same Studio that the page uses."""

from studio.api.app import create_api

__all__ = ["create_api"]
