"""What an installation must not forget, said by `manage check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks


@checks.register(checks.Tags.security, deploy=True)
def uploads_are_scanned(app_configs: Any, **kwargs: Any) -> Sequence[checks.CheckMessage]:
    """Uploads of strangers need a virus scanner in production."""
    address = getattr(settings, "VERBUND_CLAMD", "")
    if address == "fake":
        return [
            checks.Error(
                "VERBUND_CLAMD names the scanner of the tests.",
                hint="Name clamd's socket or host:port.",
                id="files.E001",
            )
        ]
    if not address:
        return [
            checks.Warning(
                "Uploads are not scanned for viruses.", hint="Set VERBUND_CLAMD to clamd's socket.", id="files.W001"
            )
        ]
    return []
