"""Citizenservices for machines."""

from .endpoints import router

__all__ = ["router"]
