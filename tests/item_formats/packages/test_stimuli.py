"""Items that one stimulus was copied into are known to share it."""

from __future__ import annotations

from item_formats import Stimulus, copied_stimulus, read_item, read_stimulus
from item_formats.packages.stimuli import with_stimuli
from tests.item_formats.packages.zips import QTI, item_xml


def stimulus(words: str) -> Stimulus:
    return read_stimulus(
        f'<qti-assessment-stimulus xmlns="{QTI}" identifier="M" title="材料"><qti-stimulus-body><p>{words}</p>'
        "</qti-stimulus-body></qti-assessment-stimulus>".encode()
    )


def copied(code: str, *materials: Stimulus) -> str | None:
    """What an item says after the materials were copied into it."""
    names = [f"M{n}.xml" for n in range(len(materials))]
    references = "".join(f'<qti-assessment-stimulus-ref identifier="{name}" href="{name}"/>' for name in names)
    xml = item_xml(code).replace(b"<qti-item-body>", references.encode() + b"<qti-item-body>", 1)
    whole, findings = with_stimuli(read_item(xml), f"{code}.xml", dict(zip(names, materials, strict=True)))
    assert len(findings) == len(materials)
    return copied_stimulus(read_item(whole.xml))


def test_items_with_the_same_stimulus_share_it_and_others_do_not() -> None:
    plan, letter = stimulus("一张图纸"), stimulus("一封信")
    assert copied("Q1") is None
    assert copied("Q1", plan) == copied("Q2", plan)
    several = {copied("Q1", plan), copied("Q2", letter), copied("Q3", plan, letter), copied("Q4", letter, plan), None}
    assert len(several) == 5
