"""What the store answers instead of taking a file. Every message says what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from verbund.platform.tenancy.errors import Invalid

MEGABYTE = 1024 * 1024


class Refused(Invalid):
    """The file cannot be taken; nothing was written. `message` is for the person who sent it."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__({"": message})
        self.message = message


class TooLarge(Refused):
    """More bytes than the limit (in bytes) allows."""

    def __init__(self, limit: int) -> None:
        if limit >= MEGABYTE:
            megabytes = limit // MEGABYTE
            super().__init__(
                _("The file is too large. At most %(limit)s MB can be taken. Please send a smaller file.")
                % {"limit": megabytes}
            )
        else:
            super().__init__(
                ngettext_lazy(
                    "The file is too large. At most %(limit)s byte can be taken. Please send a smaller file.",
                    "The file is too large. At most %(limit)s bytes can be taken. Please send a smaller file.",
                    limit,
                )
                % {"limit": limit}
            )
        self.limit = limit


class Empty(Refused):
    """A file of zero bytes."""

    def __init__(self) -> None:
        super().__init__(_("The file is empty. Please check the file and send it again."))
