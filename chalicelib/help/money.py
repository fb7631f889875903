"""Asking for money in words and in figures. WeChat reserves that for registered charities (公益 > 个人求助网络服务平台).

A text asks for money when it uses a word that means nothing else, or when a word for wanting stands before an amount that
is no price. tests/data/asking_for_money.txt and ordinary_prices.txt are what it is measured by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.content.rules import plain
from chalicelib.help.rules import MoneyAsked

UNITS = frozenset({"元", "块钱", "万", "万元", "人民币", "钱", "rmb", "cny", "¥"})  # 块 counts soap, too

_WORDS = re.compile(
    "|".join(
        (
            *("借钱(?!包)", "借款", "借.{0,5}[^要多]钱(?!包)", "贷款", "贷我", "闲钱", "周转(?![箱筐房])", "现金救急"),
            *("筹款", "筹钱", "众筹", "募捐", "捐款", "捐钱", "捐点", "接济", "资助", "赞助", "[给凑出求要]点钱"),
            *("打钱", "打款", "打点钱", "汇款", "垫付", "替我还", "还花呗", "(?:要|求|借|需|给我)现金"),
            *("缺钱", "没钱(?!包)", "[急等要]用钱", "[交付]不起", "资金(?:困难|紧|不足|短缺)"),
        )
    )
)
# Somebody who asks to be taught how to pay by phone asks for help like any other.
_PAYING = re.compile("转账|红包|收款码")
_TAUGHT = re.compile("教|(?<![上开大小中])学(?![费校生])|怎么|如何|不会|不懂")
_NEAR = 12  # characters

_WANTING = "急需|需要?|求|借给?我?|差|缺|要|凑|[给打汇转]我|转|还|充|支援|花呗"
_FIGURE = r"(?:\d{1,9}(?:\.\d+)?|[一二两三四五六七八九十百千万几半壹贰叁肆伍陆柒捌玖拾佰仟]{1,9})[多来]?"
_UNIT = "(?:元|块钱|块(?!钱)|人民币|rmb|万元|万(?!元))"
_PRICES = "的|一|店|吗|券|押金|以内|左右的|[木板布砖糖皂能步]|肥皂|.{0,6}[给付]您"
_AMOUNT = re.compile(
    rf"(?:{_WANTING})[一-鿿]{{0,2}}?{_FIGURE}{_UNIT}(?!{_PRICES})|"
    rf"(?:借|借给?我|转我|给我转?){_FIGURE}(?=[,，。;；!！]|$)",
    re.IGNORECASE,
)


def refuse(texts: Iterable[str], *, unit: str) -> None:
    """MoneyAsked when one of these texts asks for money, or when it is what is counted."""
    if plain(unit).strip().lower() in UNITS or any(_asks(plain(text)) for text in texts):
        raise MoneyAsked()


def _asks(text: str) -> bool:
    run_together = re.sub(r"[\W_]+", "", text)
    if _WORDS.search(run_together):
        return True
    for paying in _PAYING.finditer(run_together):
        if not _TAUGHT.search(run_together, max(0, paying.start() - _NEAR), paying.start()):
            return True
    return _AMOUNT.search(re.sub(r"[\s_·*-]+", "", text)) is not None
