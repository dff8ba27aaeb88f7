"""Word question lists as items."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from item_formats.choice import BLANK, TRUE_FALSE_TEXTS
from item_formats.findings import Finding, ItemError, errors_among
from item_formats.foreign.building import ITEM_TYPES, build, question_faults
from item_formats.foreign.cells import Firsts, bank_faults, choice_findings, duplicates, enemies_in, half_width
from item_formats.foreign.csv_text import Record, mojibake
from item_formats.foreign.markup import GAP, PICTURE, readable_text
from item_formats.foreign.question import Answer, Choice, Kind, Question
from item_formats.foreign.table import ItemRow, ItemTable, code_of_wording
from item_formats.foreign.word import phrases
from item_formats.foreign.word.document import Line, main_part, read_document
from item_formats.foreign.word.layout import lay_out
from item_formats.foreign.word.rich import Piece, Rich, joined
from item_formats.foreign.zip_parts import open_parts
from item_formats.model import OPTION_LETTERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from item_formats.foreign.word.document import WordDocument
    from item_formats.foreign.word.draft import Draft

MAX_BYTES = 128 * 1024 * 1024
_OLE = b"\xd0\xcf\x11\xe0"
_BANK_COLUMNS = ("编号", "知识点", "难度", "分数", "一致性", "互斥")


def read_word(path: Path) -> ItemTable:
    """The questions of a .docx: numbered stems, options, answers beside them or at the end, 解析, 难度, 知识点.

    Formulas become MathML and pictures `media` of the table. Findings have the number of a paragraph as their line;
    a question with an error is left out whole. 知识点 and 难度 may be missing: see `ItemRow`.
    """
    file = str(path)
    document, findings = _opened(path, file)
    if document is None:
        return ItemTable((), tuple(findings))
    damaged = _damage(document, file)
    if damaged:
        return ItemTable((), tuple(damaged))
    layout = lay_out(document.blocks)
    findings += document.findings
    findings += (replace(finding, file=file) for finding in layout.findings)
    if not layout.drafts:
        message = "no question was found: number the questions, as in “1．”, and put each on a line of its own"
        return ItemTable((), (*findings, Finding("error", "no-questions", message, file=file)))
    rows: list[ItemRow] = []
    firsts = Firsts()
    unreadable = errors_among(findings)
    for draft in layout.drafts:
        broken = [
            finding
            for finding in unreadable
            if draft.paragraph <= (finding.line or 0) <= draft.last or finding.line in draft.places.values()
        ]
        row, row_findings = _row(draft, firsts)
        findings += (replace(finding, file=file) for finding in row_findings)
        if row is not None and not broken:
            rows.append(row)
    findings += _not_said(rows, file)
    findings.sort(key=lambda finding: finding.line or 0)
    used = b"".join(row.item.xml for row in rows)
    media = {name: content for name, content in document.media.items() if name.encode() in used}
    return ItemTable(tuple(rows), tuple(dict.fromkeys(findings)), media)


def _opened(path: Path, file: str) -> tuple[WordDocument | None, list[Finding]]:
    size = path.stat().st_size
    if size > MAX_BYTES:
        message = f"{size:,} bytes; a document may have {MAX_BYTES:,}: split it"
        return None, [Finding("error", "too-large", message, file=file)]
    content = path.read_bytes()
    if content.startswith(_OLE):
        message = "this is an old .doc, or the document has a password: save it as .docx without one"
        return None, [Finding("error", "not-a-docx", message, file=file)]
    parts, findings = open_parts(content, file=file)
    if parts is None:
        return None, findings
    try:
        if main_part(parts) is None:
            message = "the zip holds no Word document: save the questions as .docx"
            return None, [Finding("error", "not-a-docx", message, file=file)]
        return read_document(parts, file=file), findings
    except ItemError as error:
        return None, list(error.findings)


def _damage(document: WordDocument, file: str) -> list[Finding]:
    lines = [block for block in document.blocks if isinstance(block, Line)]
    records = [Record(line.number, (line.rich.text.replace("\ufffc", ""),)) for line in lines]
    return mojibake(records, file, remedy="Copy the text from it again")


def _not_said(rows: Sequence[ItemRow], file: str) -> list[Finding]:
    found = []
    for what, missing in (
        ("知识点", [row for row in rows if not row.point]),
        ("难度", [row for row in rows if row.grade is None]),
    ):
        if missing:
            some = ", ".join(str(row.row) for row in missing[:5]) + (" …" if len(missing) > 5 else "")
            message = (
                f"{len(missing)} questions have no {what} (paragraphs {some}): add a line “{what}：…” to each before "
                "they go into a bank"
            )
            found.append(Finding("warning", "not-said", message, file=file, column=what))
    return found


@dataclass(slots=True)
class _Texts:
    """Parts of a question on their way to markup, and what was found on the way."""

    paragraph: int
    findings: list[Finding]

    def markup(self, rich: Rich, column: str) -> str:
        def problem(code: str, message: str) -> None:
            self.findings.append(Finding("warning", code, message, column=column))

        if rich.is_all("strong"):
            rich = rich.without("strong")  # bold throughout is looks, not emphasis
        return rich.strip().markup(problem)


def _row(draft: Draft, firsts: Firsts) -> tuple[ItemRow | None, list[Finding]]:
    findings: list[Finding] = []
    texts = _Texts(draft.paragraph, findings)
    stem = joined(draft.stem)
    key = _key(draft, findings)
    stem, inside = _answer_taken_out(draft, stem, key, findings)
    key = key or inside
    named = joined(draft.fields.get("题型", ())).text.strip()
    kind = phrases.type_named(named)[1] if named else draft.kind
    kind = kind or _kind(draft, stem, key)
    if draft.kind_known and draft.kind is None and not named and not draft.options:  # under 选择题
        message = "no options were found: write them as “A．… B．…”, on lines of their own or side by side"
        findings.append(Finding("error", "no-options", message, column="选项A"))
    elif kind is Kind.ESSAY and draft.kind is None and not named and "答案" not in draft.fields:
        message = (
            "neither options nor an answer were found: write “A．…” and “答案：…”, or a heading such as 一、简答题"
        )
        findings.append(Finding("error", "no-answer", message, column="答案"))
    stem = _with_blanks(stem, kind)
    options = [joined(lines).strip() for _, lines in draft.options]
    question = Question(
        identifier="",
        kind=kind,
        stem=texts.markup(stem, "题干"),
        rationale=texts.markup(joined(draft.fields.get("解析", ())), "解析"),
    )
    if kind in ITEM_TYPES:
        question = _choice_question(question, draft, texts, options, key, findings)
    elif options:
        findings.append(Finding("error", "surplus-options", f"the section is for other questions than choices: {kind}"))
    else:
        question = _written_question(question, draft, texts)
    row, row_findings = _finished(question, draft, key, firsts)
    findings += row_findings
    item = joined(draft.fields.get("编号", ())).text.strip() or None
    placed = [
        replace(finding, line=draft.places.get(finding.column or "", draft.paragraph), item=item)
        for finding in findings
    ]
    return (None if errors_among(placed) else row), placed


def _key(draft: Draft, findings: list[Finding]) -> str:
    """The key of the answer line, in half width; "" when there is none or it is longer text."""
    written = joined(draft.fields.get("答案", ())).text
    key = phrases.key_of(written)
    if key is None:
        return ""
    plain = unicodedata.normalize("NFKC", key)
    if plain != key:
        message = f"答案 is “{written}”; type “{plain}” with half-width characters"
        findings.append(Finding("error", "full-width", message, column="答案"))
    return plain


def _answer_taken_out(draft: Draft, stem: Rich, key: str, findings: list[Finding]) -> tuple[Rich, str]:
    """The stem with its blank empty, and the key that stood in it."""
    if draft.kind in {Kind.GAPS, Kind.ESSAY}:
        return stem, ""
    inside = ""
    for found in reversed(list(phrases.KEY_IN_BLANK.finditer(stem.text))):
        written = phrases.key_of(found["key"]) or ""
        plain = unicodedata.normalize("NFKC", written)
        letters = plain.isascii()
        if letters and (list(plain) != sorted(set(plain)) or (not draft.options and plain not in {"T", "F"})):
            continue
        if not letters and draft.options:
            continue
        if plain != written:
            message = f"the answer in the blank is “{written}”; type “{plain}” with half-width characters"
            findings.append(Finding("error", "full-width", message, column="答案"))
        if key and key != plain:
            message = f"the answer is {key}, but {plain} stands in the blank of the stem: make the two agree"
            findings.append(Finding("error", "answers-differ", message, column="答案"))
        inside = plain
        stem = stem.replaced(found.start(), found.end(), Rich.plain("（ ）"))
        break
    return stem, inside


def _kind(draft: Draft, stem: Rich, key: str) -> Kind:
    if draft.options:
        return Kind.MULTIPLE if len(key) > 1 else Kind.SINGLE
    if key in {"√", "×", "T", "F"}:
        return Kind.TRUE_FALSE
    return Kind.GAPS if _blanks(stem) else Kind.ESSAY


_UNDERSCORES = re.compile("_{3,}|＿{2,}")
_EMPTY = re.compile(r"[ \t\u3000\u00a0]{2,}|\t")


def _blanks(stem: Rich) -> list[tuple[int, int]]:
    """Where the stem has a line to write on: underlined spaces, or underscores."""
    found = [match.span() for match in _UNDERSCORES.finditer(stem.text)]
    place = 0
    underlined: list[tuple[int, int]] = []
    for piece in stem.pieces:
        end = place + len(piece.text)
        if "underline" in piece.formats and not piece.text.strip(" \t\u3000\u00a0"):
            if underlined and underlined[-1][1] == place:
                underlined[-1] = (underlined[-1][0], end)
            else:
                underlined.append((place, end))
        place = end
    found += [span for span in underlined if _EMPTY.fullmatch(stem.text[span[0] : span[1]])]
    return sorted(found)


def _with_blanks(stem: Rich, kind: Kind) -> Rich:
    gap = Rich((Piece("\ufffc", markup=GAP),)) if kind is Kind.GAPS else Rich.plain("（ ）")
    spans = _blanks(stem)
    if kind is Kind.GAPS and not spans:
        spans = [match.span() for match in BLANK.finditer(stem.text)]
    for start, end in reversed(spans):
        if kind is not Kind.GAPS and stem.text[max(0, start - 1) : start] in {"（", "("}:
            continue  # the line stands inside the brackets of a blank
        stem = stem.replaced(start, end, gap)
    if kind is Kind.TRUE_FALSE:
        ending = re.search(r"[（(][\s\u3000]*[)）]\s*$", stem.text)
        stem = stem.cut(0, ending.start()).strip() if ending else stem
    return stem


def _choice_question(
    question: Question, draft: Draft, texts: _Texts, options: list[Rich], key: str, findings: list[Finding]
) -> Question:
    if question.kind is Kind.TRUE_FALSE:
        right = {"√": "√", "T": "√", "×": "×", "F": "×"}.get(key, "")
        if options:
            message = "a 判断 question has no options: remove them, or put it under 单选题"
            findings.append(Finding("error", "true-false-with-options", message, column="选项A"))
        marks = [Decimal(right == sign) for sign in "√×"]
        markups = list(TRUE_FALSE_TEXTS.values())
    else:
        marks = [Decimal(letter in key) for letter in OPTION_LETTERS[: len(options)]]
        markups = [
            texts.markup(option, f"选项{letter}") for letter, option in zip(OPTION_LETTERS, options, strict=False)
        ]
    if "答案" in draft.fields and not key and joined(draft.fields["答案"]).text.strip():
        message = f"答案 is “{joined(draft.fields['答案']).text[:30]}”; expected letters of options, √ or ×"
        findings.append(Finding("error", "bad-key", message, column="答案"))
    choices = tuple(Choice(markup, fraction) for markup, fraction in zip(markups, marks, strict=True))
    return replace(question, choices=choices)


def _written_question(question: Question, draft: Draft, texts: _Texts) -> Question:
    """填空 and 简答: what is to be written there."""
    answer = joined(draft.fields.get("答案", ()))
    if question.kind is Kind.ESSAY:
        return replace(question, model_answer=texts.markup(answer, "答案"))
    gaps = max(question.stem.count(GAP), 1)
    written = [part.strip() for part in re.split("[；;|\n]", answer.text) if part.strip()]
    if len(written) != gaps:
        spaced = [part for part in re.split(r"[ \u3000\t]{2,}|[、，,]", answer.text) if part.strip()]
        written = spaced if len(spaced) == gaps > 1 else written
    if gaps == 1:
        written = [answer.text.strip()] if answer.text.strip() else []
    return replace(question, answers=tuple((Answer(part.strip()),) for part in written))


def _finished(question: Question, draft: Draft, key: str, firsts: Firsts) -> tuple[ItemRow | None, list[Finding]]:
    """The row of a question, and everything wrong with its cells."""
    cells = {name: joined(draft.fields[name]).text.strip() for name in _BANK_COLUMNS if name in draft.fields}
    stem = readable_text(question.stem)
    options = [_comparable(choice.markup) for choice in question.choices] if question.kind in ITEM_TYPES else []
    if question.kind is Kind.TRUE_FALSE:
        options = []
    cells["编号"] = cells.get("编号") or code_of_wording(
        [question.stem, *(choice.markup for choice in question.choices)]
    )
    findings = half_width(cells)
    findings += bank_faults(cells)
    item_type = ITEM_TYPES.get(question.kind)
    texts = cells | {"题干": stem, "答案": key, "解析": question.rationale}
    if item_type is not None:
        shown = {"T": "√", "F": "×"}.get(key, key) if question.kind is Kind.TRUE_FALSE else key
        findings += choice_findings(item_type, texts | {"答案": shown}, options, house_counts=False)
    findings += duplicates(
        draft.paragraph, texts, options or [answer.text for gap in question.answers for answer in gap], firsts
    )
    question = replace(question, identifier=cells["编号"])
    if item_type is None:
        findings += question_faults(question)
    if errors_among(findings):
        return None, findings
    try:
        item = build(question)
    except ItemError as error:
        return None, [*findings, *error.findings]
    marks = Decimal(cells["分数"]) if cells.get("分数") else draft.marks
    return (
        ItemRow(
            identifier=item.identifier,
            item=item,
            point=cells.get("知识点", ""),
            grade=int(cells["难度"]) if cells.get("难度") else None,
            marks=marks,
            congruence=int(cells["一致性"]) if cells.get("一致性") else None,
            source=joined(draft.fields.get("出处", ())).text.strip() or None,
            enemies=enemies_in(cells),
            row=draft.paragraph,
        ),
        findings,
    )


def _comparable(markup: str) -> str:
    text = readable_text(markup)
    return markup if PICTURE in text else text
