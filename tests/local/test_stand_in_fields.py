import pytest

from local.wechat.catalogue import TEMPLATES, Template, field_kind
from local.wechat.errors import WeChatError
from local.wechat.fields import read_values


def refusal(key: str, value: object, **more: object) -> str:
    template = Template(id="t", title="t", kind="one_time", fields={key: "项"}, example={}, **more)
    try:
        read_values(template, {key: {"value": value}})
    except WeChatError as refused:
        return f"{refused.errcode} {refused.errmsg}"
    return ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", "需要口罩5个，急！"),
        ("thing1", "字" * 20),
        ("thing2", 5),
        ("character_string1", "AB-12_34/56"),
        ("number1", "12.50"),
        ("number1", 20),
        ("letter1", "ABC"),
        ("symbol1", "+-*/="),
        ("phrase1", "审核通过"),
        ("phrase1", "已经送达了"),
        ("name1", "欧阳修"),
        ("name1", "O'Neil Smith"),
        ("phone_number1", "+86-0573-82838283"),
        ("car_number1", "浙F12345"),
        ("car_number1", "粤A8Z888挂"),
        ("amount1", "￥100.50"),
        ("amount1", "12.5元"),
        ("time1", "15:01"),
        ("time1", "2026年10月1日 15:01"),
        ("time1", "2026-10-01 15:01:30"),
        ("time1", "9:00~11:30"),
        ("date1", "2026年10月1日"),
        ("date1", "2026年10月1日 15:01"),
        ("date1", "2026年10月1日~2026年10月3日"),
    ],
)
def test_a_value_within_the_rules_is_accepted(key, value):
    assert refusal(key, value) == ""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thing1", "字" * 21),
        ("thing1", "第一行\n第二行"),
        ("thing1", "制表\t符"),
        ("character_string1", "编号12"),
        ("character_string1", "1" * 33),
        ("number1", "十二"),
        ("number1", "1" * 33),
        ("letter1", "ABC1"),
        ("symbol1", "++++++"),
        ("phrase1", "已经送达到了"),
        ("phrase1", "OK"),
        ("phrase1", "已送达!"),
        ("name1", "字" * 11),
        ("name1", "a" * 21),
        ("phone_number1", "1" * 18),
        ("phone_number1", "号码"),
        ("car_number1", "浙F1234567"),
        ("amount1", "一百"),
        ("amount1", "12345678901"),
        ("time1", "25:00"),
        ("time1", "明天下午"),
        ("time1", "2026年10月1日"),
        ("time1", "2026-10-01T15:01:00+08:00"),
        ("date1", "2026年2月30日"),
        ("date1", "15:01"),
        ("enum1", "任意"),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_with_the_field_named(key, value):
    assert refusal(key, value) == f"47003 argument invalid! data.{key}.value invalid"


@pytest.mark.parametrize("value", ["", " ", None, {"a": 1}, []])
def test_an_empty_value_is_called_empty(value):
    assert refusal("thing1", value) == "47003 argument invalid! data.thing1.value is empty"


def test_an_enum_takes_only_its_listed_values():
    assert refusal("enum1", "进行中", enums={"enum1": ["进行中", "已完成"]}) == ""
    assert "data.enum1.value invalid" in refusal("enum1", "别的", enums={"enum1": ["进行中"]})


def test_a_missing_field_is_named():
    template = Template(id="t", title="t", kind="one_time", fields={"thing1": "甲", "thing2": "乙"}, example={})
    with pytest.raises(WeChatError, match=r"data\.thing2\.value is empty"):
        read_values(template, {"thing1": {"value": "有"}})
    with pytest.raises(WeChatError, match=r"data\.thing1\.value is empty"):
        read_values(template, {"thing1": "not an object"})
    with pytest.raises(WeChatError, match="data is empty"):
        read_values(template, None)


def test_fields_outside_the_template_are_ignored():
    template = Template(id="t", title="t", kind="one_time", fields={"thing1": "甲"}, example={})
    assert read_values(template, {"thing1": {"value": "有"}, "thing9": {"value": "多余"}}) == {"thing1": "有"}


def test_a_service_account_field_is_at_most_20_characters_whatever_its_kind():
    template = Template(id="t", title="t", kind="service", fields={"character_string1": "号"}, example={})
    with pytest.raises(WeChatError, match=r"data\.character_string1\.value invalid"):
        read_values(template, {"character_string1": {"value": "1" * 21}})


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda template: template.title)
def test_every_template_in_the_catalogue_is_one_wechat_would_grant(template):
    assert 2 <= len(template.fields) <= 5
    assert len(template.id) == 43
    data = {key: {"value": value} for key, value in template.example.items()}
    assert read_values(template, data) == template.example
    assert [field_kind(key) for key in template.fields]
