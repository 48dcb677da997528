"""Texts of the command line: English in the source, German out of `locale/`, chosen by LANGUAGE, LC_ALL, LC_MESSAGES
or LANG."""

import gettext
from pathlib import Path

_catalogue = gettext.translation("verbund", localedir=Path(__file__).parent / "locale", fallback=True)
_ = _catalogue.gettext
ngettext = _catalogue.ngettext
