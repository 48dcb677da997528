"""What membership asks of the world outside: whether a signature in a PDF holds."""

from .pades import SignatureFinding, SignaturesUnreadable, check_signatures

__all__ = ["SignatureFinding", "SignaturesUnreadable", "check_signatures"]
