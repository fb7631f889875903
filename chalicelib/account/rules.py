"""Refusals around one's own account, and around looking at other people's."""

from __future__ import annotations

from datetime import timedelta

from chalicelib.kit.errors import Forbidden, Invalid, NotFound, Refused

HOME_CHANGES_A_DAY = 5
COPIES_A_DAY = 3
INVITATIONS_A_DAY = 10
# With each person's own item all of them are read, and nobody has that many relatives.
DELEGATES_AT_MOST = 20
PRINCIPALS_AT_MOST = 50
CODES_TRIED_A_DAY = 20
INVITATION_LIFE = timedelta(days=3)
COPY_LIFE = timedelta(days=1)
COPY_LINK_LIFE = timedelta(minutes=10)
CLOSING_WORD = "注销"
HOME_STATES = {"none": "未填写", "waiting": "等待确认", "confirmed": "已确认", "declined": "未确认"}

# RevokeInfo of `user_authorization_revoke`: what somebody takes back in WeChat's own settings.
REVOKED_PHONE = "8"
REVOKED_PICTURES = "14"


class HomeTooLarge(Invalid):
    code, detail = "home_too_large", "请选到您住的社区、网格或者楼栋。"


class NothingToConfirm(Refused):
    code, detail = "residence_not_waiting", "这位居民的住址已经处理过，或者刚刚改了，请刷新列表。"


class OwnResidence(Forbidden):
    code, detail = "own_residence", "自己的住址要由别的工作人员确认。"


class OwnIdentity(Forbidden):
    code, detail = "own_identity", "这是您自己的信息，请在“我的”里查看。"


class ResidentUnknown(NotFound):
    code, detail = "resident_not_found", "没有找到这位居民，请刷新列表。"


class InvitationUnknown(NotFound):
    code, detail = "invitation_not_found", "邀请码不对或者已经过期，请家人重新发一个。"


class InvitationUsed(Refused):
    code, detail = "invitation_used", "这个邀请码已经用过了，请家人重新发一个。"


class InvitationAccepted(Refused):
    code, detail = "invitation_accepted", "已经有人用这个邀请码成了您的代办人。不想让对方代办，请在代办人里取消。"


class OwnInvitation(Refused):
    code, detail = "own_invitation", "不能做自己的代办人，请把邀请码发给家人。"


class TooManyDelegates(Refused):
    code, detail = "too_many_delegates", f"最多可以有 {DELEGATES_AT_MOST} 位代办人。请先取消不再需要的，再邀请。"


class TooManyPrincipals(Refused):
    code, detail = (
        "too_many_principals",
        f"您最多可以替 {PRINCIPALS_AT_MOST} 位居民代办。请先取消不再需要的，再接受邀请。",
    )


class NoDelegation(NotFound):
    code, detail = "delegation_not_found", "没有找到这个代办关系，可能已经取消，请刷新后再看。"


class NoCopy(NotFound):
    code, detail = "no_copy", "还没有准备好的资料，请先点“下载我的资料”。"


class ClosingNotConfirmed(Invalid):
    code, detail = "closing_not_confirmed", f"注销后不能恢复。确定要注销，请输入“{CLOSING_WORD}”两个字。"
