"""LibreOffice opens what is written: Word papers with their text, formulas and pictures, workbooks as the table."""

from __future__ import annotations

import csv
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from item_formats import ItemRow, read_items_csv, write_excel, write_items_csv
from item_formats.foreign import write_word
from item_formats.foreign.formulas import latex_to_mathml
from tests.item_formats.documents import multiple, single, true_false
from tests.item_formats.foreign.papers import choice, png, row

if TYPE_CHECKING:
    from pathlib import Path

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(
    SOFFICE is None or shutil.which("pdftotext") is None, reason="LibreOffice or poppler-utils is not installed"
)
PICTURE = "media/plan.png"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libreoffice")  # of its own: tests on other cores have theirs


def converted(path: Path, to: str, profile: Path) -> Path:
    command = [str(SOFFICE), f"-env:UserInstallation=file://{profile}", "--headless", "--convert-to", to]
    subprocess.run([*command, "--outdir", str(path.parent), str(path)], check=True, capture_output=True, timeout=120)
    return path.with_suffix(f".{to.partition(':')[0]}")


def text_of(pdf: Path) -> str:
    shown = subprocess.run(["pdftotext", "-layout", str(pdf), "-"], check=True, capture_output=True, timeout=60)
    return shown.stdout.decode()


def test_a_paper_with_formulas_tables_and_pictures_opens_and_shows_them(tmp_path: Path, profile: Path) -> None:
    formulas = [r"\lim_{x\to 0}\frac{\sin x}{x}", r"\begin{cases}x&x>0\\-x&x\le 0\end{cases}", r"\overline{AB}"]
    asked = [
        replace(choice(stem=f"公式{latex_to_mathml(formula)}的值为（ ）。"), identifier=f"F{place}")
        for place, formula in enumerate(formulas)
    ]
    pictured = (
        "<p>见下表</p><table><tbody><tr><td>甲</td><td>乙</td></tr></tbody></table>"
        f'<p>如图<img alt="图" height="20" src="../{PICTURE}" width="40"/>（ ）。</p>'
    )
    rows = [
        ItemRow("Q3", true_false(), "A-1", 1),
        ItemRow("Q1", single(), "A-2", 2),
        ItemRow("Q2", multiple(), "A-3", 5),
    ]
    rows += map(row, [*asked, replace(choice(stem=pictured), identifier="P1")])
    write_word(tmp_path / "paper.docx", rows, title="理论知识试卷“Ａ”", media={PICTURE: png()})
    pdf = converted(tmp_path / "paper.docx", "pdf", profile)
    text = text_of(pdf)
    assert "理论知识试卷“Ａ”" in text
    assert "¿" not in text  # what LibreOffice draws where a formula lacks something
    lines = ["".join(line.split()) for line in text.splitlines() if line.strip()]
    assert "5．见下表" in lines  # a number and its text stand on one line
    assert "答案：ABD" in lines
    assert lines[-1].startswith("第")  # the footer with the number of the page
    images = subprocess.run(["pdfimages", "-list", str(pdf)], check=True, capture_output=True, timeout=60)
    assert len(images.stdout.splitlines()) == 3  # two lines of heading and one picture


def test_a_workbook_opens_as_the_table_it_was_made_from(tmp_path: Path, profile: Path) -> None:
    rows = [
        ItemRow("Q3", true_false(), "A-1", 1),
        ItemRow("Q1", single(), "A-2", 2),
        ItemRow("Q2", multiple(), "A-3", 5),
    ]
    write_excel(tmp_path / "bank.xlsx", rows)
    write_items_csv(tmp_path / "own.csv", rows)
    made = converted(tmp_path / "bank.xlsx", "csv:Text - txt - csv (StarCalc):44,34,76,1", profile)
    cells, own = (
        list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines())) for path in (made, tmp_path / "own.csv")
    )
    assert cells == own
    assert read_items_csv(made).rows == tuple(rows)
