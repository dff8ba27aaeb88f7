"""Where the bank is and where it listens: environment variables, overruled by command-line options."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authoring.errors import BankError

if TYPE_CHECKING:
    from collections.abc import Mapping

DATABASE_VARIABLE = "TIKU_DATABASE_URL"
HOST_VARIABLE = "TIKU_HOST"
PORT_VARIABLE = "TIKU_PORT"


@dataclass(frozen=True, slots=True)
class Settings:
    """`database` is a file name (SQLite) or a URL; 127.0.0.1 because a bank must be put on a network on purpose."""

    database: str = "tiku.db"
    host: str = "127.0.0.1"
    port: int = 8000


def read_settings(
    environment: Mapping[str, str] | None = None,
    *,
    database: str | None = None,
    host: str | None = None,
    port: int | None = None,
) -> Settings:
    """Options given here win over the environment, the environment over the defaults."""
    variables = os.environ if environment is None else environment
    usual = Settings()
    if port is None:
        written = variables.get(PORT_VARIABLE, str(usual.port))
        if not written.isascii() or not written.isdigit() or not 0 < int(written) < 65536:
            raise BankError("port", f"{PORT_VARIABLE}={written!r}: expected a port number from 1 to 65535")
        port = int(written)
    return Settings(
        database=database or variables.get(DATABASE_VARIABLE) or usual.database,
        host=host or variables.get(HOST_VARIABLE) or usual.host,
        port=port,
    )
