"""Everything a caller can be told: few kinds of problem, each with a stable code and a Chinese sentence.

A slice lists its refusals beside its rules, a line each, so that the code that refuses and the words it refuses with
stand together:

    SoldOut = Refused.named("sold_out", "已经兑完了，没有扣您的积分。")
    OnlySomeLeft = Refused.named("only_some_left", "只剩 {left} {unit}了，请改小数量再兑换。")

    raise OnlySomeLeft(left=3, unit="个")

`kit.http` turns them into RFC 9457 problem details.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from chalicelib.kit import clock

P = TypeVar("P", bound="Problem")


class Problem(Exception):
    """A request that is answered with a reason instead of a result."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "出错了"
    code: str = "internal_error"
    detail: str = "系统出了点问题，请稍后再试。"

    def __init__(self, code: str | None = None, detail: str | None = None, **facts: object) -> None:
        """`facts` are what the sentence names in braces; of a moment it says day and time, as people do."""
        self.code = code or self.code
        self.detail = detail or self.detail
        if facts:
            said = {name: clock.spoken(fact) if isinstance(fact, datetime) else fact for name, fact in facts.items()}
            self.detail = self.detail.format_map(said)
        super().__init__(self.code)

    @classmethod
    def named(cls: type[P], code: str | None = None, detail: str | None = None, **more: Any) -> type[P]:
        """A refusal of this kind, to raise and to catch. `more`: what else each of them has (`fields`, `retry_after`)."""
        own = {name: value for name, value in {"code": code, "detail": detail, **more}.items() if value is not None}
        return type("".join(word.title() for word in (code or cls.code).split("_")), (cls,), own)


class Unauthorized(Problem):
    status, title = 401, "请先登录"
    code, detail = "login_needed", "请先登录，再继续。"


class Forbidden(Problem):
    status, title = 403, "不能这样做"
    code, detail = "not_allowed", "您没有权限做这件事，需要的话请联系社区工作人员。"


class NotFound(Problem):
    status, title = 404, "没有找到"
    code, detail = "not_found", "没有找到这条内容，可能已被删除，请返回后刷新。"


class Refused(Problem):
    """The rules do not allow it now."""

    status, title = 409, "现在不能这样做"


class Conflict(Problem):
    """Somebody else was faster; looking again helps."""

    status, title = 409, "情况有变化"
    code, detail = "changed_meanwhile", "情况刚刚有变化，请刷新后再看。"


class Changed(Conflict):
    """What an act had read is not so any more: `transaction.settled` lets it read and decide again."""


class Invalid(Problem):
    """The request itself is wrong. `fields` lists each wrong field with its reason."""

    status, title = 422, "填写有误"
    code, detail = "invalid", "有内容填写不对，请改正后再提交。"

    fields: Mapping[str, str] = MappingProxyType({})

    def __init__(
        self,
        code: str | None = None,
        detail: str | None = None,
        fields: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        super().__init__(code, detail, **facts)
        self.fields = fields or self.fields


class TooLarge(Problem):
    status, title = 413, "内容太大"
    code, detail = "too_large", "内容太大，请减少后再提交。"


class TooMany(Problem):
    """Too often, or too many at the same moment; `retry_after` is in seconds."""

    status, title = 429, "太频繁了"
    code, detail = "too_many_requests", "操作太频繁，请稍后再试。"

    retry_after = 60

    def __init__(
        self, code: str | None = None, detail: str | None = None, retry_after: int | None = None, **facts: object
    ) -> None:
        super().__init__(code, detail, **facts)
        self.retry_after = retry_after or self.retry_after


class Unavailable(Problem):
    """Something we depend on does not answer; nothing is known to be lost."""

    status, title = 503, "暂时不可用"
    code, detail = "try_again", "系统正忙，请稍后再试一次。"
    retry_after = 5


class PerhapsDone(Unavailable):
    """What was to be changed was sent, and the answer is lost or still to come. Whoever repeats it with the same
    Idempotency-Key finds out; whoever has none should look first."""

    code, detail = "perhaps_done", "系统正忙，不知道这次有没有办好。请先刷新看看，没有办好再试一次。"
