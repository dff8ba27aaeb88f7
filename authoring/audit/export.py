"""The audit trail outside the database: `audit.jsonl`, one linked event a line, in the order of the chain."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from authoring.audit.chain import EVENT, Event, canonical, event_of
from authoring.errors import BankError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def export(session: Session, path: Path) -> int:
    """Write every linked event to a file that appears whole or not at all; how many there are.

    Only its owner may read the file: who did what and when is not everybody's to know.
    """
    query = select(EVENT).where(EVENT.c.seq.is_not(None)).order_by(EVENT.c.seq)
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        count = 0
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            for row in session.execute(query):
                file.write(canonical(asdict(event_of(row))) + "\n")
                count += 1
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count


def read_export(path: Path) -> list[Event]:
    """The events of an exported file, in its order. Raises `BankError` naming the line that is not an event."""
    events: list[Event] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            events.append(Event(**json.loads(line)))
        except (ValueError, TypeError):
            message = f"{path} line {number} is not an audit event: expected a line that `tiku audit export` wrote"
            raise BankError("audit-file", message) from None
    return events
