"""Choice items as people write them: 判断, 单选 and 多选, with keys and answers such as √, B and ABD."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from item_formats.findings import Finding, ItemError
from item_formats.model import FALSE, OPTION_LETTERS, RATIONALE, TRUE, Item, ItemType, item_of, type_label
from item_formats.parsing import QTI, parse
from item_formats.text import as_markup, forbidden_characters

if TYPE_CHECKING:
    from collections.abc import Sequence

MATCH_CORRECT = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"
TRUE_FALSE_TEXTS = {TRUE: "正确", FALSE: "错误"}
TRUE_FALSE_MARKS = {
    **dict.fromkeys(("√", "对", "正确", TRUE), TRUE),
    **dict.fromkeys(("×", "错", "错误", FALSE), FALSE),
}
# Also the file name of the item in a package, so no separators and never a leading dot.
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
BLANK = re.compile(r"（[\s\u3000]*）")
_ANSWER_IN_BLANK = re.compile(r"[（(]\s*(A?B?C?D?E?|[√×])\s*[）)]")  # letters in order: （AR） is an abbreviation


def choice_item(
    *,
    identifier: str,
    item_type: ItemType,
    stem: str,
    options: Sequence[str] = (),
    key: str,
    rationale: str | None = None,
    title: str | None = None,
    language: str = "zh-CN",
) -> Item:
    """A choice item scored all or nothing, as QTI 3.

    `options` are the texts of A, B, C …; a true/false item has none. `key` is "B", "ABD", or "√" / "×" (also 对 错
    正确 错误 T F). Line breaks in texts are kept. The title is the identifier unless given: a candidate may see it.

    Raises
    ------
    ItemError
        With one finding for each fault; `column` names the part as the spreadsheet does (题干, 选项B, 答案 …).
    """
    faults = choice_faults(
        identifier=identifier, item_type=item_type, stem=stem, options=options, key=key, rationale=rationale
    )
    if faults:
        raise ItemError(*faults)
    texts = list(TRUE_FALSE_TEXTS.values()) if item_type is ItemType.TRUE_FALSE else options
    return choice_document(
        identifier=identifier,
        item_type=item_type,
        stem=f"<p>{as_markup(stem)}</p>",
        options=[as_markup(text) for text in texts],
        correct=read_key(item_type, key),
        rationale=f"<p>{as_markup(rationale)}</p>" if rationale else "",
        title=title,
        language=language,
    )


def option_identifiers(item_type: ItemType, count: int) -> tuple[str, ...]:
    """What our choice items call their options: T and F, or A, B, C …"""
    return tuple(TRUE_FALSE_TEXTS) if item_type is ItemType.TRUE_FALSE else tuple(OPTION_LETTERS[:count])


def choice_document(
    *,
    identifier: str,
    item_type: ItemType,
    stem: str,
    options: Sequence[str],
    correct: Sequence[str],
    rationale: str = "",
    title: str | None = None,
    language: str = "zh-CN",
    shuffle: bool = True,
    mapping: str = "",
    outcomes: str = "",
    processing: str = f'<qti-response-processing template="{MATCH_CORRECT}"/>',
    feedback: str = "",
) -> Item:
    """A choice item of parts that are QTI markup already and fit each other; `correct` are option identifiers."""
    names = option_identifiers(item_type, len(options))
    choices = zip(names, options, strict=True)
    xml = _ITEM.format(
        namespace=QTI,
        identifier=identifier,
        title=escape(title if title is not None else identifier),
        language=escape(language),
        cardinality="multiple" if item_type is ItemType.MULTIPLE else "single",
        correct="".join(f"<qti-value>{value}</qti-value>" for value in correct),
        mapping=mapping,
        outcomes=outcomes,
        shuffle="true" if shuffle and item_type is not ItemType.TRUE_FALSE else "false",
        max_choices=0 if item_type is ItemType.MULTIPLE else 1,
        stem=stem,
        choices="".join(_CHOICE.format(identifier=name, text=text) for name, text in choices),
        rationale=_RATIONALE.format(use=RATIONALE, text=rationale) if rationale else "",
        processing=processing,
        feedback=feedback,
    )
    return item_of(parse(xml.encode()))


def choice_faults(
    *,
    identifier: str,
    item_type: ItemType,
    stem: str,
    options: Sequence[str],
    key: str,
    rationale: str | None = None,
) -> list[Finding]:
    """Everything that keeps these texts from being a choice item."""
    faults: list[Finding] = []

    def fault(code: str, column: str, message: str) -> None:
        faults.append(Finding("error", code, message, column=column, item=identifier or None))

    if not IDENTIFIER.fullmatch(identifier):
        fault(
            "bad-identifier",
            "编号",
            f"编号 is “{identifier}”; expected a letter or _ first, then letters, digits, _ - or . (at most 64), "
            "such as Q0001",
        )
    if not stem.strip():
        fault("empty-stem", "题干", "题干 is empty: write the question")
    if item_type is ItemType.TRUE_FALSE:
        if any(option.strip() for option in options):
            fault(
                "true-false-with-options", "选项A", "a 判断 item has no options: empty the 选项 cells, or change 题型"
            )
    else:
        for code, column, message in _option_faults(item_type, options):
            fault(code, column, message)
    wrong_key = key_fault(item_type, key, len(options))
    if wrong_key:
        code, message = wrong_key
        fault(code, "答案", message)
    for column, text in [
        ("题干", stem),
        ("解析", rationale or ""),
        *zip(_option_columns(options), options, strict=True),
    ]:
        for character in forbidden_characters(text):
            fault("control-character", column, f"{column} holds U+{ord(character):04X}, which XML cannot: remove it")
    return faults


def read_key(item_type: ItemType, key: str) -> tuple[str, ...]:
    """Identifiers of the options a written key names; the key has no `key_fault`."""
    key = key.strip()
    return (TRUE_FALSE_MARKS[key],) if item_type is ItemType.TRUE_FALSE else tuple(sorted(key))


def key_fault(item_type: ItemType, key: str, option_count: int) -> tuple[str, str] | None:
    """Code and message of what is wrong with a written key, if anything."""
    key = key.strip()
    example = {ItemType.TRUE_FALSE: "√ or ×", ItemType.SINGLE: "B", ItemType.MULTIPLE: "ABD"}[item_type]
    if not key:
        return "empty-key", f"答案 is empty; a {type_label(item_type)} item needs {example}"
    if item_type is ItemType.TRUE_FALSE:
        message = f"答案 is “{key}”; a 判断 item needs √ or × (or 对, 错, 正确, 错误, T, F)"
        return None if key in TRUE_FALSE_MARKS else ("bad-key", message)
    letters = OPTION_LETTERS[:option_count]
    unknown = sorted(set(key) - set(letters))
    faults = (
        (
            not set(key) <= set(OPTION_LETTERS),
            "bad-key",
            f"type the capital letters of the options without separators, such as {example}",
        ),
        (
            bool(unknown),
            "key-not-an-option",
            f"there is no option {', '.join(unknown)}; the options are {letters or 'none'}",
        ),
        (len(set(key)) < len(key), "repeated-key-letter", "a letter stands twice"),
        (
            item_type is ItemType.SINGLE and len(key) > 1,
            "too-many-keys",
            "a 单选 item has one letter: correct it, or use 题型 多选",
        ),
        (
            item_type is ItemType.MULTIPLE and len(key) < 2,
            "too-few-keys",
            "a 多选 item has two letters or more: correct it, or use 题型 单选",
        ),
    )
    return next(((code, f"答案 is “{key}”; {message}") for wrong, code, message in faults if wrong), None)


def wording_findings(item_type: ItemType, stem: str) -> list[Finding]:
    """House style of Chinese exam papers, as warnings."""
    stem = stem.strip()
    found: list[Finding] = []
    answer = None if BLANK.search(stem) else _ANSWER_IN_BLANK.search(stem)
    if answer and answer[1]:
        message = f"the stem carries “{answer[0]}”: if that is the answer, empty the blank to （ ）"
        found.append(Finding("warning", "answer-in-stem", message, column="题干"))
    elif item_type is ItemType.SINGLE and not BLANK.search(stem):
        message = "the stem has no blank: write （ ） with full-width brackets where the answer goes"
        found.append(Finding("warning", "no-blank", message, column="题干"))
    if item_type is ItemType.TRUE_FALSE and stem and not stem.endswith("。"):
        message = "the statement does not end in 。: write a full sentence"
        found.append(Finding("warning", "no-full-stop", message, column="题干"))
    return found


def response_code(item: Item, response: str | Sequence[str] | None) -> str:
    """What a candidate chose, as data files write it: "B", "ABD" (in the paper's order), "√", "×", "" for nothing."""
    chosen = [response] if isinstance(response, str) else list(response or ())
    labels = {option.identifier: option.label for option in item.options}
    unknown = [identifier for identifier in chosen if identifier not in labels]
    if unknown:
        raise ItemError(_not_an_option(item, ", ".join(unknown), list(labels)))
    return "".join(label for identifier, label in labels.items() if identifier in chosen)


def parse_response_code(item: Item, code: str) -> list[str]:
    """Option identifiers of a code such as "B", "ABD" or "√"; [] for an empty one.

    Raises
    ------
    ItemError
        A letter that is no option of the item, a letter twice, or two letters for a single choice.
    """
    code = code.strip()
    if item.item_type is ItemType.TRUE_FALSE and code in TRUE_FALSE_MARKS:
        return [TRUE_FALSE_MARKS[code]]
    identifiers = {option.label: option.identifier for option in item.options}
    labels = [code] if code in identifiers else list(code)
    if any(label not in identifiers for label in labels) or len(set(labels)) < len(labels):
        raise ItemError(_not_an_option(item, code, list(identifiers)))
    if len(labels) > 1 and item.item_type is not ItemType.MULTIPLE:
        message = f"the response is “{code}”, but the item takes one option"
        raise ItemError(Finding("error", "too-many-values", message, item=item.identifier))
    return [identifiers[label] for label in labels]


def _not_an_option(item: Item, given: str, known: list[str]) -> Finding:
    message = f"the response is “{given}”; expected {' '.join(known)}"
    if item.item_type is ItemType.MULTIPLE:
        message += ", each at most once and without separators"
    return Finding("error", "response-not-an-option", message, item=item.identifier)


def _option_columns(options: Sequence[str]) -> list[str]:
    return [f"选项{OPTION_LETTERS[place]}" if place < len(OPTION_LETTERS) else "选项" for place in range(len(options))]


def _option_faults(item_type: ItemType, options: Sequence[str]) -> list[tuple[str, str, str]]:
    label = type_label(item_type)
    if not 2 <= len(options) <= len(OPTION_LETTERS):
        return [("option-count", "选项A", f"a {label} item has {len(options)} options; expected 2 to 26")]
    faults: list[tuple[str, str, str]] = []
    seen: dict[str, str] = {}
    for column, option in zip(_option_columns(options), options, strict=True):
        text = "".join(option.split())
        if not text:
            faults.append(
                ("empty-option", column, f"{column} is empty: write the option, or leave no gap before the last")
            )
        elif text in seen:
            faults.append(
                ("repeated-option", column, f"{column} repeats {seen[text]} (“{option}”): write another option")
            )
        seen.setdefault(text, column)
    return faults


_ITEM = """<qti-assessment-item xmlns="{namespace}" identifier="{identifier}" title="{title}" adaptive="false" \
time-dependent="false" xml:lang="{language}">
  <qti-response-declaration identifier="RESPONSE" cardinality="{cardinality}" base-type="identifier">
    <qti-correct-response>{correct}</qti-correct-response>{mapping}
  </qti-response-declaration>
  <qti-outcome-declaration identifier="SCORE" cardinality="single" base-type="float" normal-maximum="1">
    <qti-default-value><qti-value>0</qti-value></qti-default-value>
  </qti-outcome-declaration>{outcomes}
  <qti-item-body>
    <qti-choice-interaction response-identifier="RESPONSE" shuffle="{shuffle}" max-choices="{max_choices}">
      <qti-prompt>{stem}</qti-prompt>{choices}
    </qti-choice-interaction>{rationale}
  </qti-item-body>
  {processing}{feedback}
</qti-assessment-item>"""
_CHOICE = """
      <qti-simple-choice identifier="{identifier}">{text}</qti-simple-choice>"""
_RATIONALE = """
    <qti-rubric-block view="scorer tutor" use="{use}">
      <qti-content-body>{text}</qti-content-body>
    </qti-rubric-block>"""
