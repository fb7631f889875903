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


HomeTooLarge = Invalid.named("home_too_large", "请选到您住的社区、网格或者楼栋。")
NothingToConfirm = Refused.named("residence_not_waiting", "这位居民的住址已经处理过，或者刚刚改了，请刷新列表。")
OwnResidence = Forbidden.named("own_residence", "自己的住址要由别的工作人员确认。")
OwnIdentity = Forbidden.named("own_identity", "这是您自己的信息，请在“我的”里查看。")
ResidentUnknown = NotFound.named("resident_not_found", "没有找到这位居民，请刷新列表。")
InvitationUnknown = NotFound.named("invitation_not_found", "邀请码不对或者已经过期，请家人重新发一个。")
InvitationUsed = Refused.named("invitation_used", "这个邀请码已经用过了，请家人重新发一个。")
InvitationAccepted = Refused.named(
    "invitation_accepted", "已经有人用这个邀请码成了您的代办人。不想让对方代办，请在代办人里取消。"
)
OwnInvitation = Refused.named("own_invitation", "不能做自己的代办人，请把邀请码发给家人。")
TooManyDelegates = Refused.named(
    "too_many_delegates", f"最多可以有 {DELEGATES_AT_MOST} 位代办人。请先取消不再需要的，再邀请。"
)
TooManyPrincipals = Refused.named(
    "too_many_principals", f"您最多可以替 {PRINCIPALS_AT_MOST} 位居民代办。请先取消不再需要的，再接受邀请。"
)
NoDelegation = NotFound.named("delegation_not_found", "没有找到这个代办关系，可能已经取消，请刷新后再看。")
NoCopy = NotFound.named("no_copy", "还没有准备好的资料，请先点“下载我的资料”。")
ClosingNotConfirmed = Invalid.named(
    "closing_not_confirmed", f"注销后不能恢复。确定要注销，请输入“{CLOSING_WORD}”两个字。"
)
