"""The language of the file (Amtssprache, § 23 VwVfG)."""

from django.conf import settings
from django.utils import translation


def official_language() -> translation.override:
    """What goes into the file or out as a letter is written in the authority's language, whatever the reader of the
    page has chosen.
    """
    return translation.override(settings.LANGUAGE_CODE)
