"""What a door may answer instead of a result; rooms subclass these in the file that raises them, interfaces
translate them."""

from collections.abc import Mapping

from django.utils.functional import Promise


class NotFound(Exception):  # noqa: N818 - reads as the answer
    """There is no such object for this actor (404). The same answer for a foreign and for a missing one."""


class Conflict(Exception):  # noqa: N818 - reads as the answer
    """Somebody else changed the object first, or its state forbids the step (409). `message` says what to do."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(str(message))
        self.message = message


class Invalid(Exception):  # noqa: N818 - reads as the answer
    """Input that cannot be taken; nothing was written. `errors` maps field (or "") to a message that says what to
    do."""

    def __init__(self, errors: Mapping[str, str | Promise]) -> None:
        super().__init__("; ".join(f"{k}: {v}" if k else str(v) for k, v in errors.items()))
        self.errors = dict(errors)
