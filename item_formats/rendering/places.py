"""Where documents and files stand, and what the addresses in a document lead to from its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from item_formats.packages.addresses import folder_of, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from item_formats.documents import Document


@dataclass(frozen=True)
class Places:
    """Documents and media by their paths. A document that is not among them stands at the top.

    Addresses lead from the folder of the document they are in; what is named just as an address has it is found too.
    """

    documents: Mapping[str, Document] = field(default_factory=dict)
    media: Mapping[str, bytes] = field(default_factory=dict)

    def path_of(self, document: Document) -> str:
        """The path of a document, "" when it is not among these."""
        return self._paths.get(document.digest, "")

    def folder(self, document: Document) -> str:
        """The folder a document stands in, "" for the top."""
        return folder_of(self.path_of(document))

    def path(self, address: str, folder: str) -> str | None:
        """The path of the document that an address in `folder` means; None when it is not here."""
        found = resolve(address, folder).path
        return next((one for one in (found, address) if one is not None and one in self.documents), None)

    def media_from(self, folder: str) -> Mapping[str, bytes]:
        """The media by the addresses that documents in `folder` use."""
        return _MediaFrom(self.media, folder)

    @cached_property
    def _paths(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for path, document in self.documents.items():
            found.setdefault(document.digest, path)
        return found


class _MediaFrom(Mapping[str, bytes]):
    """Media by address, as seen from a folder."""

    def __init__(self, media: Mapping[str, bytes], folder: str) -> None:
        self._media = media
        self._folder = folder

    def __getitem__(self, address: str) -> bytes:
        found = resolve(address, self._folder).path
        return self._media[found if found is not None and found in self._media else address]

    def __iter__(self) -> Iterator[str]:
        return iter(self._media)

    def __len__(self) -> int:
        return len(self._media)
