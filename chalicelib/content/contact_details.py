"""Phone numbers and accounts written into a text, in whatever digits and with whatever in between.

A text is read as groups of digits and the gaps between them. Some groups in a row that make a telephone number are one,
unless they have another meaning: a time, a date, a price, a house. Every step looks at a few groups or characters
only, so that a long text takes no longer than its length. What it does not see: numbers spelt in words that only sound
like digits, or spread over several acts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from chalicelib.content.rules import plain

Kind = Literal["mobile", "landline", "service", "account", "email"]
OF_AN_OFFICE: frozenset[Kind] = frozenset({"landline", "service", "email"})

_CHINESE = dict(zip("零〇一二三四五六七八九幺壹贰叁肆柒捌玖貳", "00123456789112347892", strict=True))
_IN_A_NUMBER = dict(zip("两伍陆参洞拐勾", "2563079", strict=True))  # words of their own, digits only beside others
_LOOK_ALIKE = dict(zip("lIOoОоΟο○◯⭕", "11000000000", strict=True))
_ALONE = re.compile(r"(?<![A-Za-z])[lIOoОоΟο○◯⭕]+(?![A-Za-z])")

# How people group the eleven digits of a mobile number.
_USUAL = frozenset(
    {(3, 4, 4), (3, 8), (7, 4), (4, 4, 3), (4, 3, 4), (3, 3, 5), (3, 5, 3), (5, 6), (6, 5), (4, 7), (8, 3)}
)
_USUAL_SERVICE = frozenset({(10,), (3, 7), (3, 3, 4), (3, 4, 3), (4, 3, 3), (4, 6), (6, 4)})
_MOBILE = re.compile(r"(?:(?:00)?86|0)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"(0(?:10|2\d|[3-9]\d\d))[2-9]\d{6,7}")
_ABROAD_LANDLINE = re.compile(r"((?:00)?86)0?(?:10|2\d|[3-9]\d\d)[2-9]\d{6,7}")
_SERVICE = re.compile(r"[48]00\d{7}")
_MOST_DIGITS, _LONGEST_GAP = 15, 12

# What follows a number that counts something, with the largest that makes sense where there is one.
_UNITS: dict[str, int | None] = {
    **dict.fromkeys(("点", "时"), 24),
    "月": 12,
    "日": 31,
    **dict.fromkeys(
        (
            *(
                "元",
                "块",
                "角",
                "毛",
                "分",
                "钱",
                "万",
                "千",
                "百",
                "十",
                "亿",
                "年",
                "号",
                "周",
                "天",
                "岁",
                "秒",
                "刻",
            ),
            *(
                "小时",
                "届",
                "期",
                "季",
                "次",
                "遍",
                "回",
                "个",
                "只",
                "盒",
                "包",
                "袋",
                "瓶",
                "箱",
                "条",
                "张",
                "件",
                "份",
            ),
            *(
                "台",
                "辆",
                "本",
                "套",
                "双",
                "把",
                "支",
                "枝",
                "片",
                "板",
                "卷",
                "桶",
                "罐",
                "壶",
                "桌",
                "副",
                "根",
                "颗",
            ),
            *(
                "粒",
                "棵",
                "朵",
                "头",
                "捆",
                "筐",
                "篮",
                "碗",
                "杯",
                "斤",
                "两",
                "公斤",
                "克",
                "吨",
                "升",
                "毫升",
                "毫克",
            ),
            *(
                "米",
                "公里",
                "里",
                "厘米",
                "毫米",
                "寸",
                "尺",
                "平",
                "亩",
                "度",
                "瓦",
                "伏",
                "安",
                "折",
                "倍",
                "成",
                "级",
            ),
            *("人", "名", "位", "户", "家", "口", "组", "队", "班", "楼", "幢", "栋", "座", "室", "房", "层", "单元"),
            *(
                "弄",
                "巷",
                "路",
                "门",
                "区",
                "村",
                "车",
                "站",
                "排",
                "页",
                "章",
                "题",
                "项",
                "集",
                "版",
                "码",
                "寸",
                "%",
            ),
            *(
                "kg",
                "km",
                "cm",
                "mm",
                "ml",
                "mg",
                "g",
                "m",
                "l",
                "w",
                "k",
                "rmb",
                "℃",
                "°",
                "多",
                "来",
                "几",
                "余",
                "左右",
            ),
        )
    ),
}
_UNIT = re.compile(rf"\s?({'|'.join(sorted(map(re.escape, _UNITS), key=len, reverse=True))})(?![a-z])", re.IGNORECASE)
_BEFORE = re.compile(r"(?:[¥$€第约共]|no\.?|尾号|[码号编价费]是?)[\s:]?\Z", re.IGNORECASE)
_LIST_GAP = re.compile(r"\s?(?:[-~—–至到、,;/.×x*+和与或]|\s)\s?")
_ENUMERATION = frozenset("、,;")
_TIMES = frozenset("*×")
_TIME = re.compile(r"(?<![\d:])(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?![\d:])")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:[12]\d|3[01]|0?[1-9])(?!\d)")
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])")

# Words that make whatever digits follow a way to reach somebody.
_CALL = re.compile(r"(?:电话|座机|固话|致电|拨打|打给|打我|手机|号码|tel|phone|call)[^\d\n]{0,6}\Z", re.IGNORECASE)
_QQ = re.compile(r"(?:qq|扣扣|叩叩|球球|企鹅|加\s?[q扣])(?:群|号|码|是|为|加|我|\W){0,6}\Z", re.IGNORECASE)
_WECHAT_DIGITS = re.compile(
    r"(?:微信|薇信|威信|维信|微❤|weixin|wechat|(?<![a-z])(?:vx|wx|v信)|[加+➕]\s?v)(?:号|码|是|为|搜|加|我|\W){0,6}\Z",
    re.IGNORECASE,
)
_ID = r"([a-z][-_a-z0-9]{5,19})(?![-_a-z0-9])"
_WECHAT_ID = re.compile(
    rf"(?:微信|薇信|威信|维信|微❤|weixin|wechat)((?:号|id|是|为|搜|加|我|[:=]|\s){{0,5}}){_ID}", re.IGNORECASE
)
_V_ID = re.compile(
    rf"(?:(?<![a-z])(?:vx|wx|v信|v[:=])|[加+➕]\s?v信?)(?:号|是|为|搜|加|我|[:=]|\s){{0,5}}{_ID}", re.IGNORECASE
)
_NO_ID = re.compile(
    r"iphone|ipad|android|windows|huawei|xiaomi|redmi|honor|harmony|oppo|vivo|wifi|app|mini", re.IGNORECASE
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[a-z0-9-]{1,63}\.[a-z]", re.IGNORECASE)
_AROUND = 24  # characters of a text that a cue may lie before the digits


class Group(NamedTuple):
    """Digits that stand together in one kind of writing, from `start` to `end` in the text."""

    start: int
    end: int
    digits: str
    kind: str


def found(texts: Iterable[str]) -> set[Kind]:
    """What ways to reach somebody these texts of one act hold; they are read as one, in their order."""
    parts = list(texts)
    # With a break between them, and without: a number may be cut anywhere.
    return set().union(*(_found_in(plain(read)) for read in {"\n".join(parts), "".join(parts)}))


def _found_in(text: str) -> set[Kind]:
    kinds: set[Kind] = set()
    # An o or a 一 is a digit to one writer and a dash to another.
    for digits in (_CHINESE | _LOOK_ALIKE, _CHINESE, {}):
        kinds |= set(_numbers(text, digits))
    if _EMAIL.search(text):
        kinds.add("email")
    if _names_an_account(text):
        kinds.add("account")
    return kinds


def _numbers(text: str, digits: dict[str, str]) -> Iterator[Kind]:
    groups = _groups(text, digits)
    gaps = [text[one.end : next_.start] for one, next_ in zip(groups, groups[1:], strict=False)]
    ordinary = _ordinary(text, groups, gaps)
    for first in range(len(groups)):
        before = text[max(0, groups[first].start - _AROUND) : groups[first].start]
        total = 0
        for last in range(first, min(first + _MOST_DIGITS, len(groups))):
            total += len(groups[last].digits)
            if total > _MOST_DIGITS or (last > first and not _may_join(gaps[last - 1])):
                break
            if total >= 5:
                window = _Window(groups[first : last + 1], gaps[first:last], ordinary[first : last + 1], before)
                kind = window.kind()
                if kind:
                    yield kind


def _groups(text: str, digits: dict[str, str]) -> list[Group]:
    """The digits of a text, by their Unicode value, or as this table reads characters."""
    read = [_digit(character, digits) for character in text]
    if "o" in digits:
        for alike in _ALONE.finditer(text):
            for at in range(*alike.span()):
                read[at] = (_LOOK_ALIKE[text[at]], "look-alike")
    if digits:
        for at, character in enumerate(text):
            beside = [read[near] for near in (at - 1, at + 1) if 0 <= near < len(text)]
            if character in _IN_A_NUMBER and any(beside):
                read[at] = (_IN_A_NUMBER[character], "chinese")
    groups: list[Group] = []
    for at, found_here in enumerate(read):
        if found_here is None:
            continue
        digit, kind = found_here
        if groups and groups[-1].end == at and groups[-1].kind == kind:
            groups[-1] = groups[-1]._replace(end=at + 1, digits=groups[-1].digits + digit)
        else:
            groups.append(Group(at, at + 1, digit, kind))
    return groups


def _digit(character: str, digits: dict[str, str]) -> tuple[str, str] | None:
    value = unicodedata.digit(character, None)
    if value is not None:
        return str(value), "digit"
    if character in digits and character not in _LOOK_ALIKE:
        return digits[character], "chinese"
    return None


def _may_join(gap: str) -> bool:
    return len(gap) <= _LONGEST_GAP and _words(gap) <= 4


@cache
def _words(gap: str) -> int:
    return sum(unicodedata.category(character)[0] == "L" for character in gap)


def _ordinary(text: str, groups: Sequence[Group], gaps: Sequence[str]) -> list[bool]:
    """Which groups mean something of their own: they count, price, date or number things."""
    counted = [_counts(text, group) for group in groups]
    for at in range(len(groups) - 2, -1, -1):  # 13、15、17日: all are days
        listed = _LIST_GAP.fullmatch(gaps[at]) and not _padded(groups[at])
        counted[at] = counted[at] or bool(counted[at + 1] and listed)
    marked = [_BEFORE.search(text, max(0, group.start - 4), group.start) is not None for group in groups]
    for at in range(1, len(groups)):
        marked[at] = at > 0 and (marked[at] or (marked[at - 1] and gaps[at - 1].strip() in _ENUMERATION))
    spans = [each.span() for pattern in (_TIME, _DATE) for each in pattern.finditer(text)]
    inside = _inside(groups, sorted(spans))
    alone = [_is_a_word(text, group) for group in groups]
    return [any(each) for each in zip(counted, marked, inside, alone, strict=True)]


def _counts(text: str, group: Group) -> bool:
    unit = _UNIT.match(text, group.end)
    if unit is None or len(group.digits) > 6:
        return False
    most = _UNITS[unit[1].lower()]
    return int(group.digits) <= most if most else not _padded(group)


def _padded(group: Group) -> bool:
    return len(group.digits) > 1 and group.digits[0] == "0"


def _inside(groups: Sequence[Group], spans: Sequence[tuple[int, int]]) -> list[bool]:
    inside, waiting = [], list(reversed(spans))
    for group in groups:
        while waiting and waiting[-1][1] <= group.start:
            waiting.pop()
        inside.append(bool(waiting) and waiting[-1][0] <= group.start)
    return inside


def _is_a_word(text: str, group: Group) -> bool:
    """一 in 一起 is no digit."""
    if group.kind != "chinese" or len(group.digits) > 1:
        return False
    return any(
        unicodedata.category(character) == "Lo"
        for character in (text[group.start - 1 : group.start], text[group.end : group.end + 1])
        if character
    )


class _Window:
    """Some groups in a row: do they make a number?"""

    def __init__(self, groups: Sequence[Group], gaps: Sequence[str], ordinary: Sequence[bool], before: str) -> None:
        self.gaps, self.ordinary, self.before = gaps, any(ordinary), before
        self.digits = "".join(group.digits for group in groups)
        self.sizes = tuple(len(group.digits) for group in groups)
        self.groups = groups
        self.same = len(set(gaps)) == 1
        self.tight = not any(map(_words, gaps))
        self.sure = sum(len(group.digits) for group in groups if group.kind != "look-alike") >= 4

    def kind(self) -> Kind | None:
        if not self.sure:
            return None
        if _MOBILE.fullmatch(self.digits) and self._is_written_as_one():
            return "mobile"
        if self._is_a_landline():
            return "landline"
        if _SERVICE.fullmatch(self.digits) and self._is_a_service_number():
            return "service"
        return self._follows_a_cue()

    def _is_written_as_one(self) -> bool:
        if len(self.sizes) == 1:
            return True
        usual, singly = self.sizes in _USUAL, set(self.sizes) == {1}
        if singly and self.same:
            return True
        if self.tight and self.same and self._measures_or_lists():
            return False
        if usual and self.same and (self.tight or any(map(_padded, self.groups))):
            return True
        if self.ordinary:
            return False
        if usual or singly:
            return True
        return (self.tight or self.same) and not self._is_sorted()

    def _needs_words(self) -> bool:
        return any(_words(gap) > 2 for gap in self.gaps)

    def _measures_or_lists(self) -> bool:
        """1800*2000*200 is a mattress; 150、1500、3000 may be prices, if what follows says so."""
        between = self.gaps[0].strip()
        if between in _ENUMERATION:
            return self.ordinary
        return between in _TIMES and all(size.digits[-1] in "05" and not _padded(size) for size in self.groups)

    def _is_sorted(self) -> bool:
        """A list of numbers goes up or down: 15、18、20、25、100."""
        if len(self.groups) < 3 or any(map(_padded, self.groups)):
            return False
        values = [int(group.digits) for group in self.groups]
        pairs = list(zip(values, values[1:], strict=False))
        return all(one < other for one, other in pairs) or all(one > other for one, other in pairs)

    def _is_a_landline(self) -> bool:
        for pattern in (_LANDLINE, _ABROAD_LANDLINE):
            number = pattern.fullmatch(self.digits)
            if number is None:
                continue
            if pattern is _ABROAD_LANDLINE and not (self.before.endswith("+") or self.digits.startswith("00")):
                continue
            if self._begins_with(len(number[1])) and (len(self.sizes) == 1 or not self.ordinary):
                return self.tight or self.same or not self._needs_words()
        # Any other country's, with its plus.
        abroad = self.before.endswith("+") and not self.before[-2:-1].isalnum() and len(self.digits) >= 9
        return abroad and all(gap.strip() in ("", "-", "(", ")") for gap in self.gaps)

    def _begins_with(self, size: int) -> bool:
        """The area code stands apart, or nothing does."""
        return len(self.sizes) == 1 or set(self.sizes) == {1} or self.sizes[0] == size or sum(self.sizes[:2]) == size

    def _is_a_service_number(self) -> bool:
        if self.sizes not in _USUAL_SERVICE and set(self.sizes) != {1}:
            return False
        return len(self.sizes) == 1 or (self.tight and not self.ordinary)

    def _follows_a_cue(self) -> Kind | None:
        if (
            not self.tight
            or len(self.digits) > 12
            or _DAY.fullmatch(self.digits)
            or any(len(gap) > 3 for gap in self.gaps)
        ):
            return None
        if _QQ.search(self.before) or (len(self.digits) >= 6 and _WECHAT_DIGITS.search(self.before)):
            return "account"
        local = len(self.digits) in (7, 8) and self.digits[0] in "2345678" and not self.ordinary
        return "landline" if local and _CALL.search(self.before) else None


def _names_an_account(text: str) -> bool:
    if any(not _NO_ID.match(named[1]) for named in _V_ID.finditer(text)):
        return True
    for named in _WECHAT_ID.finditer(text):
        told, name = named[1], named[2]
        chosen = told.strip(" 我") or any(character.isdigit() or character in "-_" for character in name)
        if chosen and not _NO_ID.match(name):
            return True
    return False
