"""The place the walk goes through: a running installation, and the people who sit at its desks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .people import sign_in
from .town import Town
from .visitor import Visitor


@dataclass
class Site:
    """A running installation with a furnished town; people stay signed in, the bank goes on from walk to walk."""

    town: Town
    port: int
    mails: Callable[[], list[str]]
    visitors: dict[str, Visitor] = field(default_factory=dict)
    bank_balance: int = 0
    statements: int = 0
    walks: int = 0

    def __post_init__(self) -> None:
        self.bank_balance = self.bank_balance or self.town.opening_cents

    def desk(self, role: str) -> tuple[Visitor, str]:
        """The browser of the colleague with this role, signed in, and how they signed in."""
        if role in self.visitors:
            return self.visitors[role], "session"
        visitor = Visitor(self.town.host, self.port)
        how = sign_in(visitor, email=self.town.emails[role], password=self.town.password)
        self.visitors[role] = visitor
        return visitor, how

    def citizen(self) -> Visitor:
        """A new browser of somebody nobody knows."""
        return Visitor(self.town.host, self.port)

    def close(self) -> None:
        """Close all browsers."""
        for visitor in self.visitors.values():
            visitor.close()
