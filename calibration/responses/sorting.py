"""Long Parquet files whose rows of a person stand apart, brought into an order that can be streamed."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from calibration.responses.arrow import arrow, parquet_errors, sheet_of_arrow
from calibration.responses.cells import ResponsesError
from calibration.responses.streams import BATCH_RESPONSES, ParquetSource

if TYPE_CHECKING:
    import pyarrow as pa


def sort_by_person(source: Path, destination: Path, *, parts: int = 16) -> None:
    """Write the rows of a long Parquet file or folder so that all rows of a person stand together.

    Persons are dealt into `parts` temporary files beside the destination, each of which is then sorted in memory:
    memory needed is about that of the file divided by `parts`. Rows of a person keep their order. The destination is
    written whole or not at all. Raises ResponsesError where the source is no long Parquet file.
    """
    files = ParquetSource.of(Path(source))
    person = files.written("person")
    if not files.long or person is None:
        raise ResponsesError(f"{source}: not long; expected the columns person, item and score or response")
    parquet = arrow("pyarrow.parquet")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=f".{destination.name}.") as folder:
        dealt = [Path(folder) / f"{part}.parquet" for part in range(parts)]
        with ExitStack() as stack:
            writers: list[object] = []
            for batch in files.batches(BATCH_RESPONSES, files.header):
                table = _plain(arrow().Table.from_batches([batch]))
                writers = writers or [stack.enter_context(parquet.ParquetWriter(f, table.schema)) for f in dealt]
                _deal(table, person, writers)
        whole = Path(folder) / "whole.parquet"
        with ExitStack() as stack:
            out = None
            for file in (f for f in dealt if f.exists()):
                with parquet_errors(file):
                    table = parquet.ParquetFile(file).read()
                column = sheet_of_arrow(table.select([person]), str(source)).columns[person].compact()
                out = out or stack.enter_context(parquet.ParquetWriter(whole, table.schema))
                out.write_table(table.take(arrow().array(np.argsort(column.codes, kind="stable"))))
        if not whole.exists():
            raise ResponsesError(f"{source}: no responses; expected one row a response")
        whole.replace(destination)


def _plain(table: pa.Table) -> pa.Table:
    """The table with texts as texts: dictionaries may differ from batch to batch."""
    types = arrow().types
    fields = [f.with_type(f.type.value_type) if types.is_dictionary(f.type) else f for f in table.schema]
    return table.cast(arrow().schema(fields))


def _deal(table: pa.Table, person: str, writers: list[object]) -> None:
    """Write each row to the file of its person."""
    column = sheet_of_arrow(table.select([person]), "").columns[person]
    part = np.array([crc32(text.encode()) % len(writers) for text in column.texts])[column.codes]
    for k, writer in enumerate(writers):
        rows = np.flatnonzero(part == k)
        if rows.size:
            writer.write_table(table.take(arrow().array(rows)))  # type: ignore[attr-defined]
