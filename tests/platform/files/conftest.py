from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """The refusals speak the language of the reader; these tests read English."""
    with translation.override("en"):
        yield
