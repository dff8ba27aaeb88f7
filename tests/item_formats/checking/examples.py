"""Documents that have nothing wrong with them, and for every code of `checking` one that has just that."""

from __future__ import annotations

from tests.item_formats.documents import QTI, SCORE

ITEM = (
    '<qti-assessment-item xmlns="{qti}" identifier="item" title="Item" adaptive="{adaptive}" time-dependent="false" '
    'xml:lang="en">{content}</qti-assessment-item>'
)
RESPONSE = (
    '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="identifier">'
    "<qti-correct-response><qti-value>A</qti-value></qti-correct-response></qti-response-declaration>"
)
BODY = (
    '<qti-item-body><qti-choice-interaction response-identifier="RESPONSE" max-choices="1"><qti-prompt>Which?'
    '</qti-prompt><qti-simple-choice identifier="A">one</qti-simple-choice>'
    '<qti-simple-choice identifier="B">two</qti-simple-choice></qti-choice-interaction></qti-item-body>'
)
MATCH = (
    "<qti-response-processing><qti-response-condition><qti-response-if><qti-match>"
    '<qti-variable identifier="RESPONSE"/><qti-correct identifier="RESPONSE"/></qti-match>'
    '<qti-set-outcome-value identifier="SCORE"><qti-base-value base-type="float">1</qti-base-value>'
    "</qti-set-outcome-value></qti-response-if></qti-response-condition></qti-response-processing>"
)
GOOD = ITEM.format(qti=QTI, adaptive="false", content=RESPONSE + SCORE + BODY + MATCH)
TEMPLATED = ITEM.format(
    qti=QTI,
    adaptive="false",
    content=(
        '<qti-response-declaration identifier="RESPONSE" cardinality="single" base-type="integer"/>'
        + SCORE
        + '<qti-template-declaration identifier="X" cardinality="single" base-type="integer"/>'
        '<qti-template-declaration identifier="Y" cardinality="single" base-type="integer"/>'
        '<qti-template-processing><qti-set-template-value identifier="X"><qti-random-integer min="1" max="9"/>'
        '</qti-set-template-value><qti-set-template-value identifier="Y"><qti-random-integer min="1" max="9"/>'
        "</qti-set-template-value><qti-template-constraint><qti-not><qti-match>"
        '<qti-variable identifier="X"/><qti-variable identifier="Y"/></qti-match></qti-not></qti-template-constraint>'
        '<qti-set-correct-response identifier="RESPONSE"><qti-sum><qti-variable identifier="X"/>'
        '<qti-variable identifier="Y"/></qti-sum></qti-set-correct-response></qti-template-processing>'
        '<qti-item-body><p><qti-printed-variable identifier="X"/> + <qti-printed-variable identifier="Y"/> = '
        '<qti-text-entry-interaction response-identifier="RESPONSE"/></p></qti-item-body>' + MATCH
    ),
).encode()
GOOD_TEST = (
    f'<qti-assessment-test xmlns="{QTI}" identifier="test" title="Test">'
    '<qti-outcome-declaration identifier="TOTAL" cardinality="single" base-type="float"/>'
    '<qti-test-part identifier="part" navigation-mode="linear" submission-mode="individual">'
    '<qti-assessment-section identifier="S1" title="One" visible="true"><qti-selection select="1"/>'
    '<qti-ordering shuffle="true"/>'
    '<qti-assessment-item-ref identifier="Q1" href="q1.xml" category="easy"><qti-weight identifier="W" value="2"/>'
    '<qti-branch-rule target="Q3"><qti-gt><qti-variable identifier="Q1.SCORE"/>'
    '<qti-base-value base-type="float">0</qti-base-value></qti-gt></qti-branch-rule></qti-assessment-item-ref>'
    '<qti-assessment-item-ref identifier="Q2" href="q2.xml"/></qti-assessment-section>'
    '<qti-assessment-section identifier="S2" title="Two" visible="true">'
    '<qti-time-limits min-time="10" max-time="60"/>'
    '<qti-assessment-item-ref identifier="Q3" href="q3.xml"/></qti-assessment-section></qti-test-part>'
    '<qti-outcome-processing><qti-set-outcome-value identifier="TOTAL"><qti-sum>'
    '<qti-test-variables variable-identifier="SCORE" section-identifier="S1" include-category="easy" '
    'weight-identifier="W"/></qti-sum></qti-set-outcome-value></qti-outcome-processing></qti-assessment-test>'
).encode()


def _changed(document: str | bytes, *changes: tuple[str, str]) -> bytes:
    text = document if isinstance(document, str) else document.decode()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text.encode()


def _item(*changes: tuple[str, str]) -> bytes:
    return _changed(GOOD, *changes)


def _test(*changes: tuple[str, str]) -> bytes:
    return _changed(GOOD_TEST, *changes)


def _asked(interaction: str, *, cardinality: str, base_type: str, key: str = "", more: str = "") -> bytes:
    """An item with another interaction, whose response is scored against its key."""
    values = "".join(f"<qti-value>{value}</qti-value>" for value in key.split("|") if value)
    declared = (
        f'<qti-response-declaration identifier="RESPONSE" cardinality="{cardinality}" base-type="{base_type}">'
        f"<qti-correct-response>{values}</qti-correct-response>{more}</qti-response-declaration>"
    )
    body = f"<qti-item-body>{interaction}</qti-item-body>"
    return ITEM.format(qti=QTI, adaptive="false", content=declared + SCORE + body + MATCH).encode()


_OUTCOME = '<qti-outcome-declaration identifier="{name}" cardinality="single" base-type="{base_type}"{more}'
_FEEDBACK = _OUTCOME.format(name="FEEDBACK", base_type="identifier", more="/>")
_SET_FEEDBACK = (
    '<qti-set-outcome-value identifier="FEEDBACK"><qti-base-value base-type="identifier">right</qti-base-value>'
    "</qti-set-outcome-value>"
)
_MODAL = (
    '<qti-modal-feedback outcome-identifier="FEEDBACK" identifier="{identifier}" show-hide="show"><qti-content-body>'
    "<p>Well done.</p></qti-content-body></qti-modal-feedback>"
)
_END = "</qti-assessment-item>"
_SLIDER = '<qti-slider-interaction response-identifier="RESPONSE" lower-bound="0" upper-bound="10" step="2"/>'
_MAP = (
    '<qti-mapping{more}><qti-map-entry map-key="A" mapped-value="1"/>{entry}</qti-mapping></qti-response-declaration>'
)
_CLOSE = "</qti-response-declaration>"
_ONE = '<qti-base-value base-type="float">1</qti-base-value>'
_PICTURE = '<p><img src="a.png"{more}/></p>'
_BEFORE_BODY = "<qti-item-body>"


def _mapped(more: str = "", entry: str = '<qti-map-entry map-key="B" mapped-value="0"/>') -> tuple[str, str]:
    return (_CLOSE, _MAP.format(more=more, entry=entry))


def _with_feedback(identifier: str, *changes: tuple[str, str]) -> bytes:
    return _item(
        (SCORE, SCORE + _FEEDBACK),
        ("</qti-response-if>", _SET_FEEDBACK + "</qti-response-if>"),
        (_END, _MODAL.format(identifier=identifier) + _END),
        *changes,
    )


# One fault each, but for what follows from it. Keys are codes; several documents of a code tell its several causes.
EXAMPLES: dict[str, tuple[bytes, ...]] = {
    "adaptive-never-ends": (_item(('adaptive="false"', 'adaptive="true"')),),
    "bad-attribute": (_item(('max-choices="1"', 'max-choices="one"')),),
    "bad-base-type": (_item((SCORE, SCORE.replace("float", "number"))),),
    "bad-cardinality": (_item(('cardinality="single"', 'cardinality="several"')),),
    "bad-identifier": (_item((SCORE, SCORE + _OUTCOME.format(name="1st", base_type="float", more="/>"))),),
    "bad-value": (_item((_ONE, _ONE.replace(">1<", ">one<"))),),
    "branch-backwards": (
        _test(
            (
                "</qti-assessment-section></qti-test-part>",
                (
                    '<qti-branch-rule target="S1"><qti-is-null><qti-null/>'
                    "</qti-is-null></qti-branch-rule></qti-assessment-section></qti-test-part>"
                ),
            )
        ),
    ),
    "branch-out-of-part": (
        _test(
            ('target="Q3"', 'target="more"'),
            (
                "</qti-test-part>",
                (
                    '</qti-test-part><qti-test-part identifier="more" '
                    'navigation-mode="linear" submission-mode="individual"><qti-assessment-section '
                    'identifier="S3" title="Three" '
                    'visible="true"><qti-assessment-item-ref identifier="Q4" href="q4.xml"/></qti-assessment-section>'
                    "</qti-test-part>"
                ),
            ),
        ),
    ),
    "branch-to-nowhere": (_test(('target="Q3"', 'target="Q9"')),),
    "built-in-redeclared": (
        _item((SCORE, SCORE + _OUTCOME.format(name="completionStatus", base_type="string", more="/>"))),
    ),
    "cardinality-against-interaction": (
        _item(('cardinality="single"', 'cardinality="ordered"')),
        _item(('max-choices="1"', 'max-choices="2"')),
        _asked(_SLIDER, cardinality="single", base_type="string", key="4"),
    ),
    "custom-interaction": (
        _asked(
            '<qti-custom-interaction response-identifier="RESPONSE" class="chess"/>',
            cardinality="single",
            base_type="string",
            key="e4",
        ),
    ),
    "custom-operator": (_item((_ONE, f'<qti-custom-operator class="org.example.Trim">{_ONE}</qti-custom-operator>')),),
    "dangling-catalog": (_item(("<qti-item-body>", '<qti-item-body><p data-catalog-idref="c1">Read.</p>')),),
    "dangling-category": (_test(('include-category="easy"', 'include-category="hard"')),),
    "dangling-item": (_test(('"Q1.SCORE"', '"Q7.SCORE"')),),
    "dangling-outcome": (
        _item((_END, _MODAL.format(identifier="right") + _END)),
        _item(('<qti-set-outcome-value identifier="SCORE"', '<qti-set-outcome-value identifier="SCOER"')),
    ),
    "dangling-response": (_item(('response-identifier="RESPONSE"', 'response-identifier="ANSWER"')),),
    "dangling-section": (_test(('section-identifier="S1"', 'section-identifier="S9"')),),
    "dangling-template": (
        _item(('<qti-simple-choice identifier="B"', '<qti-simple-choice template-identifier="T" identifier="B"')),
    ),
    "dangling-variable": (
        _item(('<qti-variable identifier="RESPONSE"/>', '<qti-variable identifier="RESPOSNE"/>')),
        _item(("<qti-item-body>", '<qti-item-body><p><qti-printed-variable identifier="X"/></p>')),
    ),
    "dangling-weight": (_test(('weight-identifier="W"', 'weight-identifier="V"')),),
    "empty-mapping": (_item((_CLOSE, "<qti-mapping/></qti-response-declaration>")),),
    "empty-option": (_item((">two<", "><")),),
    "empty-section": (_test(('<qti-assessment-item-ref identifier="Q3" href="q3.xml"/>', "")),),
    "empty-stem": (_item(("<qti-prompt>Which?</qti-prompt>", "")),),
    "empty-value": (_item(("<qti-value>A</qti-value>", "")),),
    "feedback-never-shown": (_with_feedback("wrong"),),
    "feedback-type": (
        _item(
            (SCORE, SCORE + _OUTCOME.format(name="FEEDBACK", base_type="integer", more="/>")),
            (_END, _MODAL.format(identifier="right") + _END),
        ),
    ),
    "field-without-name": (
        _item(
            (
                SCORE,
                SCORE + '<qti-outcome-declaration identifier="DETAILS" cardinality="record"><qti-default-value>'
                '<qti-value base-type="float">1</qti-value></qti-default-value></qti-outcome-declaration>',
            )
        ),
    ),
    "foreign-element": (_item(("<qti-item-body>", '<qti-item-body><x xmlns="http://example.invalid/"/>')),),
    "impossible-bounds": (_item(_mapped(' lower-bound="2" upper-bound="1"')),),
    "impossible-choices": (
        _item(('max-choices="1"', 'max-choices="1" min-choices="2"')),
        _asked(_SLIDER.replace('"10"', '"0"'), cardinality="single", base_type="integer", key="0"),
    ),
    "impossible-times": (_test(('max-time="60"', 'max-time="5"')),),
    "key-not-an-option": (
        _item(("<qti-value>A<", "<qti-value>C<")),
        _asked(
            '<qti-gap-match-interaction response-identifier="RESPONSE"><qti-gap-text identifier="a" match-max="1">x'
            '</qti-gap-text><p>Fill <qti-gap identifier="g"/>.</p></qti-gap-match-interaction>',
            cardinality="multiple",
            base_type="directedPair",
            key="g a",
        ),
    ),
    "map-key-not-an-option": (_item(_mapped(entry='<qti-map-entry map-key="C" mapped-value="1"/>')),),
    "mapping-of-wrong-type": (
        _asked(
            '<qti-upload-interaction response-identifier="RESPONSE"/>',
            cardinality="single",
            base_type="file",
            more='<qti-mapping><qti-map-entry map-key="x" mapped-value="1"/></qti-mapping>',
        ),
    ),
    "match-sets": (
        _asked(
            '<qti-match-interaction response-identifier="RESPONSE"><qti-simple-match-set><qti-simple-associable-choice '
            'identifier="a" match-max="1">x</qti-simple-associable-choice></qti-simple-match-set>'
            "</qti-match-interaction>",
            cardinality="multiple",
            base_type="directedPair",
        ),
    ),
    "maximum-out-of-reach": (_item((SCORE, SCORE.replace("/>", ' normal-maximum="2"/>'))),),
    "missing-alt": (_item((_BEFORE_BODY, _BEFORE_BODY + _PICTURE.format(more=""))),),
    "missing-attribute": (_item((' xml:lang="en"', "")),),
    "missing-default": (
        _item(
            (SCORE, SCORE + _FEEDBACK),
            ("</qti-response-if>", _SET_FEEDBACK + "</qti-response-if>"),
            (
                "</qti-response-condition>",
                (
                    "</qti-response-condition><qti-response-condition><qti-response-if><qti-is-null>"
                    '<qti-variable identifier="FEEDBACK"/></qti-is-null><qti-exit-response/></qti-response-if>'
                    "</qti-response-condition>"
                ),
            ),
        ),
    ),
    "missing-outcome": (
        _item(
            (SCORE, ""),
            (
                MATCH,
                (
                    '<qti-response-processing template="https://purl.imsglobal.org/spec/qti/v3p0/'
                    'rptemplates/match_correct.xml"/>'
                ),
            ),
        ),
    ),
    "no-correct-answer": (_item(("<qti-correct-response><qti-value>A</qti-value></qti-correct-response>", "")),),
    "no-interaction": (_item((BODY, "<qti-item-body><p>Read.</p></qti-item-body>")),),
    "no-mapping": (_item((_ONE, '<qti-map-response identifier="RESPONSE"/>')),),
    "no-processing": (_item((MATCH, "")),),
    "no-table": (
        _item(
            (
                f'<qti-set-outcome-value identifier="SCORE">{_ONE}</qti-set-outcome-value>',
                f'<qti-lookup-outcome-value identifier="SCORE">{_ONE}</qti-lookup-outcome-value>',
            )
        ),
    ),
    "no-test-part": (f'<qti-assessment-test xmlns="{QTI}" identifier="test" title="Test"/>'.encode(),),
    "option-count": (_item(('<qti-simple-choice identifier="B">two</qti-simple-choice>', "")),),
    "option-without-map-entry": (_item(_mapped(entry="")),),
    "outcome-never-set": (_item((SCORE, SCORE + _OUTCOME.format(name="PARTIAL", base_type="float", more="/>"))),),
    "portable-custom-interaction": (
        _asked(
            '<qti-portable-custom-interaction response-identifier="RESPONSE" module="chess" '
            'custom-interaction-type-identifier="urn:example:chess"><qti-interaction-markup/>'
            "</qti-portable-custom-interaction>",
            cardinality="single",
            base_type="string",
            key="e4",
        ),
    ),
    "processing-not-understood": (
        _item((MATCH, '<qti-response-processing template="https://example.invalid/our_own.xml"/>')),
    ),
    "repeated-declaration": (_item((SCORE, SCORE + SCORE)),),
    "repeated-id": (_item(("<qti-item-body>", '<qti-item-body><p id="p">One.</p><p id="p">Two.</p>')),),
    "repeated-identifier": (_test(('identifier="Q2"', 'identifier="Q1"')),),
    "repeated-map-key": (
        _item(
            _mapped(entry='<qti-map-entry map-key="A" mapped-value="2"/><qti-map-entry map-key="B" mapped-value="0"/>')
        ),
    ),
    "repeated-option-identifier": (
        _item(('<qti-simple-choice identifier="B">', '<qti-simple-choice identifier="A">')),
    ),
    "required-not-selected": (
        _test(
            ('identifier="Q1"', 'identifier="Q1" required="true"'),
            ('identifier="Q2"', 'identifier="Q2" required="true"'),
        ),
    ),
    "response-bound-twice": (
        _item(
            (
                "</qti-item-body>",
                (
                    '<p><qti-inline-choice-interaction response-identifier="RESPONSE">'
                    '<qti-inline-choice identifier="A">a</qti-inline-choice>'
                    '<qti-inline-choice identifier="B">b</qti-inline-choice>'
                    "</qti-inline-choice-interaction></p></qti-item-body>"
                ),
            )
        ),
    ),
    "rule-ignored": (_test(('navigation-mode="linear"', 'navigation-mode="nonlinear"')),),
    "score-above-maximum": (_item((SCORE, SCORE.replace("/>", ' normal-maximum="0.5"/>'))),),
    "score-below-minimum": (_item((SCORE, SCORE.replace("/>", ' normal-minimum="0.5"/>'))),),
    "scored-elsewhere": (_item((SCORE, SCORE.replace("/>", ' external-scored="human"/>'))),),
    "script": (_item(("<qti-item-body>", '<qti-item-body><p><a href="javascript:x()">Look</a></p>')),),
    "selection-too-large": (_test(('select="1"', 'select="3"')),),
    "stray-attribute": (_item(('max-choices="1"', 'max-choices="1" difficulty="3"')),),
    "template-never-set": (
        _changed(
            TEMPLATED,
            (
                (
                    '<qti-set-template-value identifier="Y"><qti-random-integer min="1" max="9"/>'
                    "</qti-set-template-value>"
                ),
                "",
            ),
        ),
    ),
    "too-many-values": (_item(("<qti-value>A</qti-value>", "<qti-value>A</qti-value><qti-value>B</qti-value>")),),
    "unanswered-response": (
        _item(
            (SCORE, '<qti-response-declaration identifier="OTHER" cardinality="single" base-type="string"/>' + SCORE)
        ),
    ),
    "unexpected-element": (
        _item(
            (
                SCORE,
                _OUTCOME.format(
                    name="SCORE",
                    base_type="float",
                    more="><qti-default-value><qti-vlaue>0</qti-vlaue></qti-default-value></qti-outcome-declaration>",
                ),
            )
        ),
    ),
    "unknown-element": (_item(("<qti-item-body>", "<qti-item-body><marquee>Look</marquee>")),),
    "unknown-expression": (_item((_ONE, "<qti-one/>")),),
    "unknown-rule": (_item(("</qti-response-if>", "<qti-set-score/></qti-response-if>")),),
    "unreachable-entry": (
        _item(
            (
                SCORE,
                SCORE
                + _OUTCOME.format(
                    name="GRADE",
                    base_type="integer",
                    more="><qti-interpolation-table>"
                    '<qti-interpolation-table-entry source-value="0" target-value="1"/><qti-interpolation-table-entry '
                    'source-value="60" target-value="2"/></qti-interpolation-table></qti-outcome-declaration>',
                ),
            ),
            (
                "</qti-response-processing>",
                (
                    '<qti-lookup-outcome-value identifier="GRADE"><qti-variable identifier="SCORE"/>'
                    "</qti-lookup-outcome-value></qti-response-processing>"
                ),
            ),
        ),
    ),
    "unreachable-key": (
        _asked(_SLIDER, cardinality="single", base_type="integer", key="3"),
        _asked(
            '<qti-order-interaction response-identifier="RESPONSE"><qti-simple-choice identifier="a">x'
            '</qti-simple-choice><qti-simple-choice identifier="b">y</qti-simple-choice></qti-order-interaction>',
            cardinality="ordered",
            base_type="identifier",
            key="a",
        ),
        _asked(
            '<p><qti-text-entry-interaction response-identifier="RESPONSE" pattern-mask="[0-9]+"/></p>',
            cardinality="single",
            base_type="string",
            key="ten",
        ),
    ),
    "unused-declaration": (
        _changed(
            TEMPLATED,
            (
                "<qti-template-processing>",
                (
                    '<qti-template-declaration identifier="Z" cardinality="single" '
                    'base-type="integer"/><qti-template-processing>'
                ),
            ),
        ),
    ),
    "unused-weight": (_test((' weight-identifier="W"', "")),),
    "wrong-operands": (_item(("<qti-match>", "<qti-match><qti-null/>")),),
    "wrong-type": (
        _item(("<qti-match>", "<qti-equal>"), ("</qti-match>", "</qti-equal>")),
        _item(('<qti-base-value base-type="float">1<', '<qti-base-value base-type="boolean">true<')),
    ),
}
