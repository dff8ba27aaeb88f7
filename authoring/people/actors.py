"""Who is acting, in which roles and with which rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from authoring.errors import ForbiddenError


class Role(StrEnum):
    """What a person is trusted to do in the bank's work (labels in Chinese: `ROLE_LABELS`)."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    PSYCHOMETRICIAN = "psychometrician"
    ORGANIZER = "organizer"
    ADMINISTRATOR = "administrator"


ROLE_LABELS = {
    Role.AUTHOR: "命题",
    Role.REVIEWER: "审题",
    Role.APPROVER: "终审",
    Role.PSYCHOMETRICIAN: "测量分析",
    Role.ORGANIZER: "组卷",
    Role.ADMINISTRATOR: "管理",
}


class Right(StrEnum):
    """What a token may do over HTTP. `items:keys` is the right to see keys, rationales and processing."""

    ITEMS_READ = "items:read"
    ITEMS_WRITE = "items:write"
    ITEMS_KEYS = "items:keys"
    STANDARDS_READ = "standards:read"
    STANDARDS_WRITE = "standards:write"
    AUDIT_READ = "audit:read"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a change. `person_id` is None only for the system itself."""

    person_id: int | None
    code: str
    name: str
    roles: frozenset[Role] = frozenset()

    def person(self) -> int:
        """The person's row, where a person must answer for what is done."""
        if self.person_id is None:
            raise ForbiddenError("person-needed", f"{self.name} is not a person: act as someone (tiku user list)")
        return self.person_id

    def need(self, role: Role) -> None:
        """Raise `role-needed` unless the actor holds the role."""
        if role not in self.roles:
            raise ForbiddenError(
                "role-needed",
                f"{self.name} ({self.code}) needs the role '{role}' ({ROLE_LABELS[role]}) for this; they hold: "
                f"{', '.join(sorted(self.roles)) or 'none'}",
            )


SYSTEM = Actor(None, "system", "tiku")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls over HTTP: the person, and what their token may do."""

    actor: Actor
    token_id: int
    rights: frozenset[Right]
