"""What the tests of membership share."""

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture
def english() -> Iterator[None]:
    """Messages as they stand in the source, so that a test can name them."""
    with translation.override("en"):
        yield
