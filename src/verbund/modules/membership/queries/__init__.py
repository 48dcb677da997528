"""Door of membership: reads. Every query starts from what the actor may see."""

from .members import MemberFacts, list_members, member

__all__ = ["MemberFacts", "list_members", "member"]
