"""Editable papers: items as a Word document with sections, laid-out options, formulas and pictures."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from item_formats.choice import BLANK
from item_formats.findings import Finding, ItemError
from item_formats.foreign.building import number
from item_formats.foreign.collecting import writable
from item_formats.foreign.markup import GAP, plain_text, readable_text
from item_formats.foreign.question import Kind, Question
from item_formats.foreign.table import ItemRow
from item_formats.foreign.word.numbering import chinese
from item_formats.foreign.word.office_xml import Converter, paragraph, run
from item_formats.model import OPTION_LETTERS
from item_formats.writing import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from item_formats.rendering import PaperSheet

_HEADINGS = {
    Kind.TRUE_FALSE: "判断题",
    Kind.SINGLE: "单项选择题",
    Kind.MULTIPLE: "多项选择题",
    Kind.GAPS: "填空题",
    Kind.NUMBER: "计算题",
    Kind.ESSAY: "简答题",
    Kind.MATCHING: "匹配题",
}
_TEXT_WIDTH = 9638  # twips between the margins
_COLUMNS = ((4, 16), (2, 36))  # options a line, and how wide (in half-width characters) they may be for it
_LIKE_A_LABEL = re.compile(r"(?<![A-Za-z0-9])[（(]?[A-HＡ-Ｈ]\s*[.．、:：)）]|\t")
_WRITING_LINES = 5
_ROOM = "（\u3000\u3000）"  # to write a letter by hand
_SPACE_ABOVE = '<w:spacing w:before="80"/>'  # between questions


def write_word(
    path: Path,
    rows: Iterable[ItemRow],
    *,
    title: str = "试题",
    answer_key: bool = True,
    media: Mapping[str, bytes] | None = None,
) -> tuple[Finding, ...]:
    """Write items as a question list, a section for each type; `read_word` reads it back.

    With `answer_key`, each question carries its answer, 解析 and what the bank keeps beside it; without, it is a paper
    to hand out. `media` are the pictures items refer to, as `ItemTable.media`. Warnings say what was left out.

    Raises
    ------
    ItemError
        Items that are no question a paper can hold, or a picture that is not in `media`; nothing is written.
    """
    questions, findings = writable(rows)
    paper = _Paper(media or {}, answer_key=answer_key)
    paper.add(paragraph(run(title), style="Title"))
    place = 0
    for kind, heading in _HEADINGS.items():
        section = [(row, question) for row, question in questions if question.kind is kind]
        if not section:
            continue
        place += 1
        marks = {row.marks for row, _ in section}
        each = marks.pop() if len(marks) == 1 else None
        worth = f"（每题{number(each)}分，共{number(each * len(section))}分）" if each else ""
        paper.add(paragraph(run(f"{chinese(place)}、{heading}{worth}"), style="Heading1"))
        for at, (row, question) in enumerate(section, start=1):
            paper.question(at, row, question, marks=None if each else row.marks)
    findings += paper.write(path, title)
    return tuple(findings)


def write_paper_word(
    path: Path, paper: PaperSheet, *, answer_key: bool = False, media: Mapping[str, bytes] | None = None
) -> tuple[Finding, ...]:
    """Write a paper as an editable document: title, notes, sections, questions numbered through.

    Raises
    ------
    ItemError
        As `write_word`.
    """
    document = _Paper(media or {}, answer_key=answer_key)
    if paper.secrecy:
        document.add(paragraph(run(paper.secrecy)))
    heading = f"{paper.title}（{paper.code}）" if paper.code else paper.title
    document.add(paragraph(run(heading), style="Title"))
    if answer_key:
        document.add(paragraph(run("参考答案"), style="Subtitle"))
    else:
        document.add(
            paragraph(run("姓名＿＿＿＿＿＿　准考证号＿＿＿＿＿＿＿＿　单位＿＿＿＿＿＿＿＿＿＿"), style="Subtitle")
        )
        document.add(paragraph(run("注意事项"), style="Notes"))
        for place, note in enumerate(paper.printed_notes, start=1):
            document.add(paragraph(run(f"{place}. {note}"), style="Notes"))
    findings: list[Finding] = []
    at = 0
    for section in paper.sections:
        document.add(paragraph(run(section.heading), style="Heading1"))
        document.add(paragraph(run(section.instruction), style="Notes", properties="<w:keepNext/>"))
        rows = [ItemRow(entry.item.identifier, entry.item, marks=entry.marks) for entry in section.items]
        questions, lost = writable(rows)
        findings += lost
        for row, question in questions:
            at += 1
            document.question(at, row, question, marks=None)
    findings += document.write(path, heading)
    return tuple(findings)


class _Paper:
    """A document as it grows."""

    def __init__(self, media: Mapping[str, bytes], *, answer_key: bool) -> None:
        self.converter = Converter(media)
        self.answer_key = answer_key
        self.blocks: list[str] = []
        self.faults: list[Finding] = []
        self.findings: list[Finding] = []

    def add(self, *blocks: str) -> None:
        self.blocks.extend(blocks)

    def question(self, at: int, row: ItemRow, asked: Question, *, marks: Decimal | None) -> None:
        try:
            self.add(*self._question(at, row, asked, marks))
        except KeyError as error:
            message = f"the picture {error.args[0]} was not given: pass the media of the table"
            self.faults.append(Finding("error", "missing-picture", message, item=row.identifier))

    def _question(self, at: int, row: ItemRow, asked: Question, marks: Decimal | None) -> list[str]:
        worth = f"（{number(marks)}分）" if marks is not None else ""
        before = f"{at}．{worth}"
        after = ("（\u3000）" if self.answer_key else _ROOM) if asked.kind is Kind.TRUE_FALSE else ""
        stem = asked.stem
        if not self.answer_key:
            stem = BLANK.sub(_ROOM, stem)
        if GAP not in stem and asked.kind in {Kind.GAPS, Kind.NUMBER} and not self.answer_key:
            stem += GAP
        blocks = self.converter.blocks(stem, before=before, after=after, properties="<w:keepNext/>")
        blocks[:1] = [block.replace("<w:keepNext/>", f"<w:keepNext/>{_SPACE_ABOVE}", 1) for block in blocks[:1]]
        if asked.kind in {Kind.SINGLE, Kind.MULTIPLE}:
            blocks += self._options(asked)
        elif asked.kind is Kind.MATCHING:
            blocks += self._pairs(asked)
        elif asked.kind is Kind.ESSAY and not self.answer_key:
            blocks += [paragraph("")] * _WRITING_LINES
        if self.answer_key:
            blocks += self._remarks(row, asked)
        return blocks

    def _options(self, asked: Question) -> list[str]:
        labelled = [
            (f"{letter}．", choice.markup) for letter, choice in zip(OPTION_LETTERS, asked.choices, strict=False)
        ]
        texts = [plain_text(markup) for _, markup in labelled]
        widest = max((_width(text) for text in texts if text is not None), default=0)
        simple = all(text is not None and "\n" not in text and not _LIKE_A_LABEL.search(text) for text in texts)
        columns = next((count for count, width in _COLUMNS if simple and widest <= width), 1)
        if columns == 1:
            return [
                block
                for place, (label, markup) in enumerate(labelled, start=1)
                for block in self.converter.blocks(
                    markup, before=label, properties=f'{_kept(place, len(labelled))}<w:ind w:left="420"/>'
                )
            ]
        stops = "".join(
            f'<w:tab w:val="left" w:pos="{420 + place * (_TEXT_WIDTH - 420) // columns}"/>'
            for place in range(1, columns)
        )
        lines = [labelled[place : place + columns] for place in range(0, len(labelled), columns)]
        return [
            paragraph(
                run("\t").join(run(label) + self.converter.inline(markup) for label, markup in line),
                properties=f'{_kept(place, len(lines))}<w:tabs>{stops}</w:tabs><w:ind w:left="420"/>',
            )
            for place, line in enumerate(lines, start=1)
        ]

    def _pairs(self, asked: Question) -> list[str]:
        targets = list(dict.fromkeys([*(target for _, target in asked.pairs), *asked.unmatched]))
        order = sorted(targets, key=readable_text)  # not the order of the sources, which would be the key
        left = [self.converter.inline(source) for source, _ in asked.pairs]
        right = [
            run(f"{letter}．") + self.converter.inline(target)
            for letter, target in zip(OPTION_LETTERS, order, strict=False)
        ]
        room = "" if self.answer_key else _ROOM
        lines = [run(f"（{place}）") + text + run(room) for place, text in enumerate(left, start=1)] + right
        return [paragraph(text, properties=_kept(place, len(lines))) for place, text in enumerate(lines, start=1)]

    def _remarks(self, row: ItemRow, asked: Question) -> list[str]:
        blocks = self._named("答案", self._answer(asked))
        blocks += self._named("解析", asked.rationale)
        cells = {
            "编号": row.identifier,
            "知识点": row.point,
            "难度": "" if row.grade is None else str(row.grade),
            "一致性": "" if row.congruence is None else str(row.congruence),
            "出处": row.source or "",
            "互斥": ";".join(row.enemies),
        }
        return blocks + [paragraph(run(f"{name}：{text}")) for name, text in cells.items() if text]

    def _named(self, name: str, markup: str) -> list[str]:
        return self.converter.blocks(markup, before=f"{name}：") if markup else []

    def _answer(self, asked: Question) -> str:
        """The answer as markup."""
        if asked.kind is Kind.TRUE_FALSE:
            return "√×"[asked.keys[0]]
        if asked.kind in {Kind.SINGLE, Kind.MULTIPLE}:
            if asked.partial or any(choice.feedback for choice in asked.choices):
                self._lost(asked, "shares of marks and feedback on options")
            return "".join(OPTION_LETTERS[place] for place in asked.keys)
        if asked.kind is Kind.ESSAY:
            return asked.model_answer
        if asked.kind is Kind.MATCHING:
            return "；".join(f"{source}——{target}" for source, target in asked.pairs)
        if any(len(answers) > 1 for answers in asked.answers) or asked.case_sensitive:
            self._lost(asked, "what other answers count for")
        return "；".join(escape("/".join(answer.text for answer in answers), quote=False) for answers in asked.answers)

    def _lost(self, asked: Question, what: str) -> None:
        message = f"a Word list has no place for {what}; it was left out"
        self.findings.append(Finding("warning", "simplified", message, item=asked.identifier))

    def write(self, path: Path, title: str) -> list[Finding]:
        if self.faults:
            raise ItemError(*self.faults)
        body = "".join(_apart(self.blocks))
        members = dict(_FIXED)
        members["docProps/core.xml"] = _CORE.format(title=escape(title))
        members["word/document.xml"] = f"{_DOCUMENT}<w:body>{body}{_PAGE}</w:body></w:document>"
        pictures = "".join(
            f'<Relationship Id="{relation}" Type="{_TYPES}/image" Target="{escape(name)}"/>'
            for name, relation in self.converter.shown.items()
        )
        members["word/_rels/document.xml.rels"] = _RELATIONS.format(pictures=pictures)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in members.items():
                _put(archive, name, text.encode())
            for name in self.converter.shown:
                _put(archive, f"word/{name}", self.converter.media[name])
        write_whole(path, buffer.getvalue())
        return self.findings


def _kept(place: int, of: int) -> str:
    """What keeps a line on the page of the next one: a question is not torn apart, but the last line may end a page."""
    return "<w:keepNext/>" if place < of else ""


def _apart(blocks: Sequence[str]) -> list[str]:
    """Word joins tables that follow each other, and wants a paragraph at the end."""
    made: list[str] = []
    for place, block in enumerate(blocks):
        made.append(block)
        last = place + 1 == len(blocks)
        if block.startswith("<w:tbl>") and (last or blocks[place + 1].startswith("<w:tbl>")):
            made.append("<w:p/>")
    return made


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))  # the same items give the same bytes
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_DOCUMENT = (
    f'{_HEAD}<w:document xmlns:w="{_W}" xmlns:r="{_TYPES}" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture">'
)
_PAGE = (
    '<w:sectPr><w:footerReference w:type="default" r:id="rIdFooter"/><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" w:header="567" w:footer="567" w:gutter="0"/>'
    "</w:sectPr>"
)
_CORE = (
    f"{_HEAD}<cp:coreProperties "
    'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title><dc:creator>tiku</dc:creator>'
    "</cp:coreProperties>"
)
_RELATIONS = (
    f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rIdStyles" Type="{_TYPES}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rIdFooter" Type="{_TYPES}/footer" Target="footer1.xml"/>'
    "{pictures}</Relationships>"
)
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_FIXED = {
    "[Content_Types].xml": f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    + "".join(
        f'<Default Extension="{ending}" ContentType="image/{ending}"/>'
        for ending in ("png", "jpeg", "gif", "bmp", "webp")
    )
    + '<Default Extension="jpg" ContentType="image/jpeg"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_MAIN}.document.main+xml"/>'
    f'<Override PartName="/word/styles.xml" ContentType="{_MAIN}.styles+xml"/>'
    f'<Override PartName="/word/footer1.xml" ContentType="{_MAIN}.footer+xml"/>'
    '<Override PartName="/docProps/core.xml" '
    'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
    "_rels/.rels": f'{_HEAD}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_TYPES}/officeDocument" Target="word/document.xml"/>'
    '<Relationship Id="rId2" '
    'Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" '
    'Target="docProps/core.xml"/></Relationships>',
    "word/footer1.xml": f'{_HEAD}<w:ftr xmlns:w="{_W}"><w:p><w:pPr><w:jc w:val="center"/></w:pPr>'
    '<w:r><w:t xml:space="preserve">第 </w:t></w:r><w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'
    '<w:r><w:t xml:space="preserve"> 页　共 </w:t></w:r><w:fldSimple w:instr=" NUMPAGES "><w:r><w:t>1</w:t></w:r>'
    "</w:fldSimple><w:r><w:t> 页</w:t></w:r></w:p></w:ftr>",
    "word/styles.xml": f'{_HEAD}<w:styles xmlns:w="{_W}"><w:docDefaults><w:rPrDefault><w:rPr>'
    '<w:rFonts w:ascii="Times New Roman" w:hAnsi="Times New Roman" w:eastAsia="宋体" w:cs="Times New Roman"/>'
    '<w:sz w:val="21"/><w:lang w:val="en-US" w:eastAsia="zh-CN"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
    '<w:spacing w:line="320" w:lineRule="atLeast"/></w:pPr></w:pPrDefault></w:docDefaults>'
    '<w:style w:type="paragraph" w:default="1" w:styleId="Normal"><w:name w:val="Normal"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/><w:basedOn w:val="Normal"/><w:pPr>'
    '<w:spacing w:before="120" w:after="240"/><w:jc w:val="center"/></w:pPr><w:rPr><w:rFonts w:eastAsia="黑体"/>'
    '<w:b/><w:sz w:val="32"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Subtitle"><w:name w:val="Subtitle"/><w:basedOn w:val="Normal"/><w:pPr>'
    '<w:spacing w:after="160"/><w:jc w:val="center"/></w:pPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/><w:basedOn w:val="Normal"/><w:pPr>'
    '<w:keepNext/><w:spacing w:before="240" w:after="80"/><w:outlineLvl w:val="0"/></w:pPr><w:rPr>'
    '<w:rFonts w:eastAsia="黑体"/><w:b/><w:sz w:val="24"/></w:rPr></w:style>'
    '<w:style w:type="paragraph" w:styleId="Notes"><w:name w:val="Notes"/><w:basedOn w:val="Normal"/></w:style>'
    "</w:styles>",
}
