"""What a nickname may be. WeChat judges whether it is decent; that it is nobody's mask is judged here."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from chalicelib.kit.errors import Conflict, Invalid, Refused

LONGEST_NICKNAME = 20
CHANGES_A_DAY = 10

# Words by which people would take somebody for an office or for us.
OFFICIAL = (
    *("社区", "居委", "村委", "街道办", "镇政府", "网格员", "网格长", "微网格", "协管员", "指导员", "评议员"),
    *("管理员", "审核员", "调解员", "督办员", "派单员", "工作人员", "政府", "公安", "派出所", "民警", "交警", "警察"),
    *(
        "法院",
        "法官",
        "检察",
        "司法",
        "城管",
        "信访",
        "纪委",
        "党委",
        "书记",
        "民政局",
        "人社局",
        "税务",
        "疾控",
        "卫健",
    ),
    *("官方", "客服", "热线", "系统消息", "系统通知", "微嘉园"),
)
OFFICIAL_LATIN = ("admin", "official", "police", "weijiayuan", "gongan", "zhengfu", "kefu", "guanliyuan")
# What those may call themselves who are it.
ALLOWED_FOR: dict[str, frozenset[str]] = {
    "micro_grid_head": frozenset({"网格长", "微网格"}),
    "grid_worker": frozenset({"网格员", "社区", "工作人员"}),
    "community_worker": frozenset({"社区", "居委", "村委", "工作人员"}),
    "coordinator": frozenset({"协管员"}),
    "instructor": frozenset({"指导员"}),
    "reviewer": frozenset({"评议员"}),
    "dispatcher": frozenset({"派单员"}),
    "mediator": frozenset({"调解员"}),
    "supervisor": frozenset({"督办员"}),
    "moderator": frozenset({"审核员"}),
    "desk_clerk": frozenset({"工作人员"}),
}

# Traditional forms of the characters above; NFKC already folds widths, circles and compatibility forms.
_SIMPLIFIED = str.maketrans(
    "區網員長辦鎮協導評議調解督審訴檢書記黨紀衛稅務實統熱線園會級",
    "区网员长办镇协导评议调解督审诉检书记党纪卫税务实统热线园会级",
)
# Cyrillic and Greek letters, digits and signs that look like Latin letters. Written as code points, for the eye
# cannot tell them apart.
_LATIN = str.maketrans(
    dict(
        zip(
            (
                *range(0x430, 0x450),
                0x455,
                0x456,
                0x501,
                0x4CF,
                0x475,
                *map(ord, "\u03b1\u03bf\u03b9\u03c1\u03bd0135$@"),
            ),
            ("a", *"б6гдeж3ийkлmhoпpctyфxцчшщъыьэюя", "s", "i", "d", "l", "v", *"aoipvoiessa"),
            strict=True,
        )
    )
)
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800\u17b4\u17b5")
_JOINER, _EMOJI_LOOK = "\u200d", "\ufe0f"
_MOST_MARKS = 3


class NicknameInvalid(Invalid):
    code, detail = "nickname_invalid", "这个昵称不能用，请换一个。"

    def __init__(self, reason: str) -> None:
        super().__init__(detail=f"这个昵称不能用：{reason}。请换一个。", fields={"nickname": reason})


class LooksOfficial(Refused):
    code = "nickname_looks_official"

    def __init__(self, word: str) -> None:
        super().__init__(detail=f"昵称里不能有“{word}”，大家会误以为您是工作人员。请换一个。")
        self.word = word


AvatarBeingChecked = Conflict.named("avatar_being_checked", "上一张头像还在检查，有结果会通知您，之后就可以再换。")


def nickname(typed: str) -> str:
    """The nickname as it will be shown: one line, common forms of all characters. Raises NicknameInvalid."""
    name = " ".join(unicodedata.normalize("NFKC", typed).split())
    if not name:
        raise NicknameInvalid("不能为空")
    if len(name) > LONGEST_NICKNAME:
        raise NicknameInvalid(f"最多 {LONGEST_NICKNAME} 个字")
    if any(_hidden(name, position) for position in range(len(name))):
        raise NicknameInvalid("含有看不见的字符")
    if not any(unicodedata.category(character)[0] in "LNS" for character in name):
        raise NicknameInvalid("至少要有一个字")
    if sum(unicodedata.category(character) == "Mn" and character != _EMOJI_LOOK for character in name) > _MOST_MARKS:
        raise NicknameInvalid("叠加的符号太多")
    return name


def check_not_official(name: str, *, roles: Collection[str]) -> None:
    """Refuses names by which somebody would pass for staff, unless their duty says they are that."""
    allowed = frozenset().union(*(ALLOWED_FOR.get(role, frozenset()) for role in roles))
    skeleton = _skeleton(name)
    for word in OFFICIAL:
        if word in skeleton and word not in allowed:
            raise LooksOfficial(word)
    latin = skeleton.translate(_LATIN)
    for word in OFFICIAL_LATIN:
        if word in latin:
            raise LooksOfficial(word)


def looks_official(name: str, *, roles: Collection[str]) -> str | None:
    """The word by which this name would pass for staff who hold none of these roles; None when it does not."""
    try:
        check_not_official(name, roles=roles)
    except LooksOfficial as refused:
        return refused.word
    return None


def _skeleton(name: str) -> str:
    """What the eye reads: no accents, spaces, dots or emoji between, small letters, simplified characters."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(character for character in plain if unicodedata.category(character)[0] in "LN" or character in "$@")
    return kept.translate(_SIMPLIFIED)


def _hidden(name: str, position: int) -> bool:
    character = name[position]
    if character == _JOINER:  # family emoji are several joined by it; anywhere else it only hides
        before = name[position - 1] if position else ""
        return not before or unicodedata.category(before) not in ("So", "Sk", "Mn")
    return character in _INVISIBLE or unicodedata.category(character) in ("Cf", "Cc", "Co", "Cn", "Cs")
