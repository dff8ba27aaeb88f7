"""Where the bank is and where it listens."""

from __future__ import annotations

import pytest

from authoring.errors import BankError
from authoring.settings import Settings, read_settings


def test_a_bank_listens_on_this_machine_only_unless_told_otherwise() -> None:
    assert read_settings({}) == Settings(database="tiku.db", host="127.0.0.1", port=8000)


def test_the_environment_overrules_the_defaults_and_options_overrule_both() -> None:
    environment = {"TIKU_DATABASE_URL": "postgresql://db/tiku", "TIKU_HOST": "10.0.0.1", "TIKU_PORT": "81"}
    assert read_settings(environment) == Settings("postgresql://db/tiku", "10.0.0.1", 81)
    assert read_settings(environment, database="b.db", port=82) == Settings("b.db", "10.0.0.1", 82)


@pytest.mark.parametrize("written", ["0", "65536", "eighty", "-1", "８０"])
def test_a_port_that_is_none_is_refused_with_the_variable_to_change(written: str) -> None:
    with pytest.raises(BankError, match=r"TIKU_PORT=.*expected a port number from 1 to 65535"):
        read_settings({"TIKU_PORT": written})
