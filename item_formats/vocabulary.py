"""The words of QTI: names of elements and attributes in 3.0, and how 2.x spelled them."""

from __future__ import annotations

import re

QTI = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
MATHML = "http://www.w3.org/1998/Math/MathML"
SSML = "http://www.w3.org/2001/10/synthesis"
QTI_21 = "http://www.imsglobal.org/xsd/imsqti_v2p1"
QTI_22 = "http://www.imsglobal.org/xsd/imsqti_v2p2"
HTML5_22 = "http://www.imsglobal.org/xsd/imsqtiv2p2_html5_v1p0"  # where 2.2 keeps what HTML 5 added
PCI_1 = "http://www.imsglobal.org/xsd/portableCustomInteraction_v1"  # 2.x: inside customInteraction
XHTML = "http://www.w3.org/1999/xhtml"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
# 2.2 binds MathML 3 and SSML 1.1 to addresses that 3.0 does not know.
MOVED_NAMESPACES = {"http://www.w3.org/2010/Math/MathML": MATHML, "http://www.w3.org/2010/10/synthesis": SSML}

# The 202 elements of 3.0, without "qti-", and the attributes each has of its own (QTI 3.0 ASI, XSD binding).
_ELEMENTS = """
adaptive-engine-ref: href identifier
adaptive-settings-ref: href identifier
any-n: max min
area-map-entry: coords mapped-value shape
area-mapping: default-value lower-bound upper-bound
assessment-item: adaptive identifier time-dependent title tool-name tool-version
assessment-item-ref: category fixed href identifier required
assessment-section: fixed identifier keep-together required title visible
assessment-section-ref: href identifier
assessment-stimulus: identifier title tool-name tool-version
assessment-stimulus-ref: href identifier title
assessment-test: identifier title tool-name tool-version
associable-hotspot: coords hotspot-label identifier match-group match-max match-min shape show-hide
    template-identifier
associate-interaction: max-associations min-associations response-identifier shuffle
base-value: base-type
branch-rule: target
calculator-info: mime-type
card: support
card-entry: default
choice-interaction: max-choices min-choices orientation response-identifier shuffle
context-declaration: base-type cardinality identifier
context-variable: identifier
correct: identifier
correct-response: interpretation
custom-interaction: response-identifier
custom-operator: definition
default: identifier
default-value: interpretation
digital-material: mime-type
drawing-interaction: response-identifier
end-attempt-interaction: count-attempt response-identifier title
equal: include-lower-bound include-upper-bound tolerance tolerance-mode
equal-rounded: figures rounding-mode
extended-text-interaction: base expected-length expected-lines format max-strings min-strings pattern-mask
    placeholder-text response-identifier string-identifier
feedback-block: identifier outcome-identifier show-hide
feedback-inline: identifier outcome-identifier show-hide
field-value: field-identifier
file-href: mime-type
gap: identifier match-group required show-hide template-identifier
gap-img: identifier left match-group match-max match-min object-label show-hide template-identifier top
gap-match-interaction: max-associations min-associations response-identifier shuffle
gap-text: identifier match-group match-max match-min show-hide template-identifier
graphic-associate-interaction: max-associations min-associations response-identifier
graphic-gap-match-interaction: max-associations min-associations response-identifier
graphic-order-interaction: max-choices min-choices response-identifier
hotspot-choice: coords hotspot-label identifier shape show-hide template-identifier
hotspot-interaction: max-choices min-choices response-identifier
hottext: identifier show-hide template-identifier
hottext-interaction: max-choices min-choices response-identifier
index: n
inline-choice: fixed identifier show-hide template-identifier
inline-choice-interaction: min-choices required response-identifier shuffle
inside: coords shape
interaction-module: fallback-path primary-path
interaction-modules: primary-configuration secondary-configuration
interpolation-table: default-value
interpolation-table-entry: include-boundary source-value target-value
item-session-control: allow-comment allow-review allow-skipping max-attempts show-feedback show-solution
    validate-responses
lookup-outcome-value: identifier
major-increment: unit
map-entry: case-sensitive map-key mapped-value
map-response: identifier
map-response-point: identifier
mapping: default-value lower-bound upper-bound
match-interaction: max-associations min-associations response-identifier shuffle
match-table: default-value
match-table-entry: source-value target-value
math-constant: name
math-operator: name
media-interaction: autostart coords loop max-plays min-plays response-identifier
metadata-ref: href identifier
minor-increment: unit
modal-feedback: identifier outcome-identifier show-hide title
number-correct: exclude-category include-category section-identifier
number-incorrect: exclude-category include-category section-identifier
number-presented: exclude-category include-category section-identifier
number-responded: exclude-category include-category section-identifier
number-selected: exclude-category include-category section-identifier
order-interaction: max-choices min-choices orientation response-identifier shuffle
ordering: shuffle
outcome-declaration: base-type cardinality external-scored identifier interpretation long-interpretation
    mastery-value normal-maximum normal-minimum variable-identifier-ref view
outcome-maximum: exclude-category include-category outcome-identifier section-identifier weight-identifier
outcome-minimum: exclude-category include-category outcome-identifier section-identifier weight-identifier
pattern-match: pattern
portable-custom-interaction: custom-interaction-type-identifier module response-identifier
position-object-interaction: center-point max-choices min-choices response-identifier
printed-variable: base delimiter field format identifier index mapping-indicator power-form
random-float: max min
random-integer: max min step
repeat: number-repeats
response-declaration: base-type cardinality identifier
response-processing: template template-location
round-to: figures rounding-mode
rubric-block: use view
select-point-interaction: max-choices min-choices response-identifier
selection: select with-replacement
set-correct-response: identifier
set-default-value: identifier
set-outcome-value: identifier
set-template-value: identifier
simple-associable-choice: fixed identifier match-group match-max match-min show-hide template-identifier
simple-choice: fixed identifier show-hide template-identifier
slider-interaction: lower-bound orientation response-identifier reverse step step-label upper-bound
stats-operator: name
string-match: case-sensitive substring
stylesheet: href media title type
substring: case-sensitive
template-block: identifier show-hide template-identifier
template-declaration: base-type cardinality identifier math-variable param-variable
template-default: template-identifier
template-inline: identifier show-hide template-identifier
template-variable: template-identifier
test-feedback: access identifier outcome-identifier show-hide title
test-part: identifier navigation-mode submission-mode title
test-variables: base-type exclude-category include-category section-identifier variable-identifier weight-identifier
text-entry-interaction: base expected-length format pattern-mask placeholder-text response-identifier
    string-identifier
time-limits: allow-late-submission max-time min-time
upload-interaction: response-identifier type
usagedata-ref: href identifier
value: base-type field-identifier
variable: identifier weight-identifier
variable-mapping: source-identifier target-identifier
weight: identifier value
"""
_BARE_ELEMENTS = """
adaptive-selection and calculator calculator-type catalog catalog-info companion-materials-info container-size
contains content-body delete description divide duration-gte duration-lt exit-response exit-template exit-test
gcd gt gte html-content increment-si increment-us integer-divide integer-modulus integer-to-float
interaction-markup is-null item-body label lcm lt lte match max member min minimum-length multiple not null or
ordered outcome-condition outcome-else outcome-else-if outcome-if outcome-processing
outcome-processing-fragment physical-material position-object-stage power pre-condition product prompt
protractor random resource-icon response-condition response-else response-else-if response-if
response-processing-fragment round rule rule-system-si rule-system-us simple-match-set stimulus-body subtract
sum template-condition template-constraint template-else template-else-if template-if template-processing
truncate
"""
# HTML in 3.0; `HTML5` lies outside the QTI namespace in 2.2 and does not exist in 2.1.
_HTML = """
a abbr acronym address article aside audio b bdi bdo big blockquote br caption cite code col colgroup dd
details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img kbd label li nav object ol
p param picture pre q rb rp rt rtc ruby samp section small source span strong sub summary sup table tbody td
template tfoot th thead tr track tt ul var video
"""
_HTML5 = """
article aside audio bdi details figcaption figure footer header label nav picture rb rp rt rtc ruby section source
summary track video
"""
# 2.x spelled its names in camel case. These are the ones whose capitals do not follow from the 3.0 name.
_CAPITALS = {
    "duration-lt": "durationLT",
    "duration-gte": "durationGTE",
    "increment-si": "incrementSI",
    "increment-us": "incrementUS",
    "rule-system-si": "ruleSystemSI",
    "rule-system-us": "ruleSystemUS",
}
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

VIEWS = ("author", "candidate", "proctor", "scorer", "testConstructor", "tutor")
BASE_TYPES = (
    "boolean", "directedPair", "duration", "file", "float", "identifier", "integer", "pair", "point", "string", "uri",
)  # fmt: skip
CARDINALITIES = ("single", "multiple", "ordered", "record")
RUBRIC_USES = ("instructions", "scoring", "navigation")  # or ext:…; 2.x allowed any text
# Standard response-processing templates, at .../rptemplates/NAME.xml in 3.0.
TEMPLATES = ("match_correct", "map_response", "map_response_point")
TEMPLATES_AT = "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/"

INTERACTIONS = (
    "qti-associate-interaction", "qti-choice-interaction", "qti-custom-interaction", "qti-drawing-interaction",
    "qti-end-attempt-interaction", "qti-extended-text-interaction", "qti-gap-match-interaction",
    "qti-graphic-associate-interaction", "qti-graphic-gap-match-interaction", "qti-graphic-order-interaction",
    "qti-hotspot-interaction", "qti-hottext-interaction", "qti-inline-choice-interaction", "qti-match-interaction",
    "qti-media-interaction", "qti-order-interaction", "qti-portable-custom-interaction",
    "qti-position-object-interaction", "qti-select-point-interaction", "qti-slider-interaction",
    "qti-text-entry-interaction", "qti-upload-interaction",
)  # fmt: skip
# What is offered in interactions: choices with content of their own, and areas of a picture.
CHOICES = frozenset(
    {
        "qti-simple-choice", "qti-simple-associable-choice", "qti-gap-text", "qti-gap-img", "qti-inline-choice",
        "qti-hottext",
    }
)  # fmt: skip
HOTSPOTS = frozenset({"qti-hotspot-choice", "qti-associable-hotspot"})
# Attributes any element with content may carry, besides aria-* and data-*.
COMMON_ATTRIBUTES = frozenset({"id", "class", "label", "lang", "dir", "role"})
# Elements whose content stands in a qti-content-body in 3.0, and directly inside them in 2.x.
WITH_CONTENT_BODY = frozenset(
    {"qti-rubric-block", "qti-feedback-block", "qti-modal-feedback", "qti-test-feedback", "qti-template-block"}
)


def template_name(address: str) -> str:
    """The name of a response-processing template 1EdTech publishes, such as match_correct; of others the address."""
    host, _, name = address.removesuffix("/").rpartition("/rptemplates/")
    return name.removesuffix(".xml") if "imsglobal.org/" in host else address


def kebab(name: str) -> str:
    """``simpleMatchSet`` → ``simple-match-set``, ``durationLT`` → ``duration-lt``."""
    return _HUMPS.sub("-", name).lower()


def camel(name: str) -> str:
    """The 2.x spelling of a 3.0 element or attribute name without ``qti-``."""
    if name in _CAPITALS:
        return _CAPITALS[name]
    first, *rest = name.split("-")
    return first + "".join(map(str.capitalize, rest))


def _read_elements() -> dict[str, frozenset[str]]:
    attributes: dict[str, list[str]] = {name: [] for name in _BARE_ELEMENTS.split()}
    of: list[str] = []
    for word in _ELEMENTS.split():
        if word.endswith(":"):
            of = attributes[word[:-1]] = []
        else:
            of.append(word)
    return {f"qti-{name}": frozenset(attributes[name]) for name in sorted(attributes)}


ELEMENTS: dict[str, frozenset[str]] = _read_elements()
HTML: frozenset[str] = frozenset(_HTML.split())
HTML5: frozenset[str] = frozenset(_HTML5.split())
