"""What an account would set up in WeChat's admin console: accounts, keys, templates, word lists.

Nothing here is secret: these values exist only inside the stand-in.
"""

import re
from typing import Literal

import msgspec

APPID = "wx5f1c0de000000001"
SECRET = "5f1c0de05f1c0de05f1c0de05f1c0de0"
ORIGINAL_ID = "gh_weijiayuan01"

# The 服务号 (service account) is a separate WeChat account: own appid, own token, own openids.
SERVICE_APPID = "wx5f1c0de000000002"
SERVICE_SECRET = "5e7f1ce05e7f1ce05e7f1ce05e7f1ce0"

PUSH_TOKEN = "weijiayuanlocal"
PUSH_AES_KEY = "weijiayuanlocal0123456789abcdefghijklmnopqr"  # 43 characters, as WeChat demands

# What our settings group `wechat_secrets` says of them.
ACCOUNTS = {
    "wechat_appid": APPID,
    "wechat_secret": SECRET,
    "push_token": PUSH_TOKEN,
    "push_aes_key": PUSH_AES_KEY,
    "service_account_appid": SERVICE_APPID,
    "service_account_secret": SERVICE_SECRET,
}

Kind = Literal["one_time", "long_term", "service"]


class Template(msgspec.Struct, frozen=True):
    """A message template: `fields` maps each key to the label people read before its value."""

    id: str
    title: str
    kind: Kind
    fields: dict[str, str]
    example: dict[str, str]
    enums: dict[str, list[str]] = {}


_TEMPLATES = [
    Template(
        id="tmpl_help_progress_one_time_000000000000001",
        title="求助进展提醒",
        kind="one_time",
        fields={"thing1": "事项", "phrase2": "状态", "thing3": "提示", "time4": "时间"},
        example={
            "thing1": "需要口罩5个",
            "phrase2": "已送达",
            "thing3": "请到社区服务站领取",
            "time4": "2026年3月1日 15:01",
        },
    ),
    Template(
        id="tmpl_community_notice_one_time_000000000002",
        title="社区通知",
        kind="one_time",
        fields={"thing1": "标题", "thing2": "内容", "time3": "时间"},
        example={"thing1": "停水通知", "thing2": "周六上午停水三小时", "time3": "2026年3月1日 09:00"},
    ),
    Template(
        id="tmpl_review_result_one_time_000000000000003",
        title="审核结果通知",
        kind="one_time",
        fields={"thing1": "内容", "phrase2": "结果", "thing3": "说明"},
        example={"thing1": "求助照片", "phrase2": "未通过", "thing3": "照片看不清，请重新上传"},
    ),
    Template(
        id="tmpl_to_do_reminder_one_time_00000000000004",
        title="待办提醒",
        kind="one_time",
        fields={"thing1": "事项", "thing2": "地点", "time3": "截止时间"},
        example={"thing1": "上门看望", "thing2": "南湖街道", "time3": "2026年3月1日 18:00"},
    ),
    Template(
        id="tmpl_civic_service_long_term_00000000000005",
        title="政务服务进度提醒",
        kind="long_term",
        fields={"thing1": "服务事项", "phrase2": "办理状态", "thing3": "温馨提示", "time4": "更新时间"},
        example={
            "thing1": "居住信息确认",
            "phrase2": "已确认",
            "thing3": "可以发布求助了",
            "time4": "2026年3月1日 15:01",
        },
    ),
    Template(
        id="tmpl_service_account_reminder_0000000000006",
        title="社区事项提醒",
        kind="service",
        fields={"thing1": "事项", "thing2": "说明", "time3": "时间"},
        example={"thing1": "新的求助", "thing2": "有居民等待回应", "time3": "2026年3月1日 15:01"},
    ),
]
TEMPLATES: dict[str, Template] = {template.id: template for template in _TEMPLATES}

# Words the text check answers to, with WeChat's label for each. Real lists are WeChat's secret.
RISKY_WORDS = {
    "赌博": 20006,
    "代开发票": 20008,
    "刷单返利": 20008,
    "裸聊": 20002,
    "打死你": 20003,
    "傻逼": 20012,
}
REVIEW_WORDS = {"高价回收": 10001, "加我微信": 10001, "盗版": 20013, "内部消息": 21000}


def field_kind(key: str) -> str:
    """thing1 → thing. WeChat names a field by its kind and a number."""
    return re.sub(r"\d+$", "", key)
