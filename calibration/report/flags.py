"""The flags of a calibration in words: what each is called, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calibration.screening import Flag


@dataclass(frozen=True, slots=True)
class FlagText:
    """A flag's name and what to do, Chinese and English; one that is not `serious` is a note."""

    name: str
    name_en: str
    advice: str
    advice_en: str
    serious: bool = True


TEXTS = {
    # of the whole run
    "not-converged": FlagText(
        "未收敛",
        "not converged",
        "参数不可使用：加先验、减少参数或增加迭代。",
        "Do not use these numbers: use priors, fewer parameters, or more iterations.",
    ),
    "not-monotone": FlagText(
        "似然下降", "likelihood fell", "请报告此次运行。", "A step lowered the likelihood: report this run."
    ),
    "integration-error": FlagText(
        "积分误差",
        "integration error",
        "更细的求积网格会改变参数。",
        "A finer quadrature would move parameters.",
    ),
    "overstated-information": FlagText(
        "信息量高估",
        "overstated information",
        "题组内的题目不独立：按题组标定，或合并为一道多级计分题。",
        "Items of a set are not independent: calibrate with the item sets, or sum each to one polytomous item.",
    ),
    "modes-kept": FlagText(
        "未得后验均值", "no posterior means", "参数为后验众数。", "Parameters are modes, not the means asked for."
    ),
    "disconnected": FlagText(
        "设计不连通",
        "disconnected design",
        "各组题目没有共同考生，量表只在假设下可比。",
        "Groups of items share no persons: their scales compare by assumption only.",
    ),
    "routed-without-routing": FlagText(
        "缺分流作答",
        "routed without routing",
        "做不同题目的考生能力不同，而数据不能说明题目如何分配：补入决定分配的全部作答，或声明考生组别。",
        "Persons with different items differ in ability, and the data do not say why they had them: add the answers "
        "that decided, or declare the groups.",
    ),
    "group-without-persons": FlagText(
        "无考生的组", "group without persons", "检查分组列与权重。", "Check the column of groups, and the weights."
    ),
    "persons-without-responses": FlagText(
        "无作答考生", "persons without responses", "不计入标定。", "They count for nothing.", serious=False
    ),
    "grade-prior-weak": FlagText(
        "难度等级先验弱",
        "weak grade prior",
        "等级回归所依据的题目太少。",
        "Too few calibrated items stand behind the regression on grades.",
        serious=False,
    ),
    # of items: before the model
    "no-variance": FlagText(
        "无变异",
        "no variance",
        "所有人得分相同，无法标定：太易、太难或已泄露。",
        "Everybody has the same score: too easy, too hard, or leaked; left out.",
    ),
    "mode-kept": FlagText(
        "未得后验均值",
        "no posterior mean",
        "该题参数为后验众数；可用更窄的先验。",
        "Its parameters are modes: try narrower priors.",
        serious=False,
    ),
    "no-responses": FlagText("无作答", "no responses", "没有可用作答。", "Nothing can be said.", serious=False),
    "negative-discrimination": FlagText(
        "区分度为负",
        "negative discrimination",
        "能力高者反而答错：先查答案，再查题干。",
        "Abler candidates do worse: check the key first, then the wording.",
    ),
    "key-suspect": FlagText(
        "答案存疑",
        "key suspect",
        "另一选项比答案更能区分能力：核对答案。",
        "Another option goes with ability better than the key: check the key.",
    ),
    "double-key": FlagText(
        "疑有两个正确答案",
        "double key",
        "另一选项同样吸引高能力者：它是否也对？",
        "Another option draws the able too: is it right as well?",
    ),
    "idle-option": FlagText(
        "选项闲置",
        "idle option",
        "几乎无人选择的干扰项，修订时更换。",
        "A distractor that hardly anybody chose: replace it when the item is revised.",
        serious=False,
    ),
    "unused-score": FlagText(
        "有分值无人得",
        "unused score",
        "缺少的分值没有自己的类别。",
        "A score that nobody got has no category of its own.",
        serious=False,
    ),
    "unused-category": FlagText(
        "有类别无人得", "unused category", "合并类别或换模型。", "Join categories or use another model.", serious=False
    ),
    "shifted": FlagText(
        "分数起点移动", "scores shifted", "最低分记为 0。", "The lowest score counts as 0.", serious=False
    ),
    "key-without-item": FlagText(
        "答案无对应题目", "key without item", "检查题号。", "Check the item ids of the key.", serious=False
    ),
    # of items: against the model
    "misfit": FlagText(
        "与模型不符",
        "misfit",
        "观测比例系统地偏离曲线：看曲线，查题目或换模型。",
        "Observed proportions leave the curve: look at it, then at the item, or use another model.",
    ),
    "noisy": FlagText(
        "作答过于随机",
        "noisy",
        "加权或未加权均方 > 1.3 且超出机遇：猜测、歧义或答案问题。",
        "Infit or outfit above 1.3 and beyond chance: guessing, ambiguity, or the key.",
    ),
    "overfit": FlagText(
        "作答过于整齐",
        "overfit",
        "均方 < 0.7：与其他题目重复或不独立。",
        "Infit or outfit below 0.7: it repeats other items.",
        serious=False,
    ),
    "curve-differs": FlagText(
        "曲线偏离",
        "curve differs",
        "观测曲线与模型曲线相差 RMSD > 0.10，且超出机遇。",
        "Observed and expected curve differ by RMSD > 0.10, and beyond chance.",
    ),
    "weak": FlagText(
        "区分度低", "weak", "题总相关 < 0.10。", "Item-rest correlation below 0.10: it tells little.", serious=False
    ),
    "routed": FlagText(
        "按能力发题",
        "routed",
        "S-X² 不适用，改用残差 χ²。",
        "Given by ability: S-X² does not apply, the residual χ² does.",
        serious=False,
    ),
    "erratic-rater": FlagText(
        "评分随意",
        "erratic rater",
        "均方 > 1.3：培训或复核。",
        "Mean squares above 1.3: train again, or have the marks checked.",
    ),
    "flat-rater": FlagText(
        "评分缺少变化",
        "flat rater",
        "均方 < 0.7：只用中间分数，或照抄他人。",
        "Mean squares below 0.7: keeps to the middle, or follows another rater.",
    ),
    "dif": FlagText(
        "功能差异",
        "differential functioning",
        "能力相同的不同组考生答对率不同：请专家审读。",
        "Equally able persons of two groups do not do equally well: let experts read the item.",
    ),
    "drift": FlagText(
        "锚题漂移",
        "anchor drift",
        "锚题参数已变：是否泄露、改动或过时？不宜再作锚题。",
        "The anchor has moved: leaked, edited, outdated? Do not anchor on it.",
    ),
}
UNTAGGED = {"shifted"}  # said once, in the warnings: nothing to see at the item itself
FLAG_NAMES = {code: f"{text.name} {text.name_en}" for code, text in TEXTS.items()}


def flag_name(code: str) -> str:
    """What a flag is called, both languages; the code itself where it is not known."""
    return FLAG_NAMES.get(code, code)


def by_code(flags: Iterable[Flag]) -> dict[str, list[Flag]]:
    """Flags under their codes, the serious ones first, in the order of TEXTS."""
    found: dict[str, list[Flag]] = {}
    for flag in flags:
        found.setdefault(flag.code, []).append(flag)
    order = {code: (not text.serious, at) for at, (code, text) in enumerate(TEXTS.items())}
    return {code: found[code] for code in sorted(found, key=lambda code: order.get(code, (True, len(order))))}


def is_serious(code: str) -> bool:
    """Whether somebody has to act on it."""
    return code not in TEXTS or TEXTS[code].serious
