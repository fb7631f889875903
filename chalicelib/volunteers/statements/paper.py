"""A statement of hours as a page to print: A4, with its number, a QR code of its check address, and the five groups.

Nothing of it is loaded from anywhere, nothing in it runs. Every text in it was written by somebody: all are escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from html import escape

from chalicelib.kit import clock
from chalicelib.kit.errors import Problem
from chalicelib.volunteers.models import Statement
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.statements import rules
from chalicelib.volunteers.statements.issuing import Verified
from chalicelib.volunteers.statements.rules import Noted, Paper, Served

_STYLE = """
@page { size: A4; margin: 15mm 16mm 18mm;
  @bottom-left { content: "编号 NUMBER"; font: 8.5pt sans-serif; color: #555 }
  @bottom-right { content: "第 " counter(page) " 页，共 " counter(pages) " 页"; font: 8.5pt sans-serif; color: #555 } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 178mm; color: #111; background: #fff; font: 10.5pt/1.65 "Songti SC", STSong, SimSun,
  "Noto Serif CJK SC", "Source Han Serif SC", "Noto Sans CJK SC", "WenQuanYi Zen Hei", serif; overflow-wrap: anywhere;
  print-color-adjust: exact; -webkit-print-color-adjust: exact }
header { position: relative; min-height: 29mm; margin-bottom: 4mm; padding: 1mm 32mm 0; text-align: center }
header figure { position: absolute; top: 0; right: 0; margin: 0; width: 27mm; text-align: center; font-size: 8pt;
  line-height: 1.3 }
header svg { display: block; width: 24mm; height: 24mm; margin: 0 auto .5mm }
h1 { margin: 0; font-size: 21pt; line-height: 1.4; letter-spacing: .16em; text-indent: .16em; white-space: nowrap }
header p { margin: 1mm 0 0 }
.number { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: nowrap }
h2 { margin: 4mm 0 1.4mm; font-size: 11.5pt; break-after: avoid }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: 9.5pt; line-height: 1.45 }
thead { display: table-header-group }
tr { break-inside: avoid }
th, td { padding: .8mm 1.6mm; border: .25mm solid #777; text-align: left; vertical-align: top; unicode-bidi: isolate }
th { background: #f1f1ee; font-weight: 600 }
.middle { text-align: center }
.whole { white-space: nowrap }
small { color: #444; font-size: 8.5pt }
tr.sum td { background: #f8f8f5; font-weight: 600 }
.none { margin: 0; color: #555 }
.state { margin: 0 0 4mm; padding: 2mm 4mm; border: .7mm solid #b3121d; color: #b3121d; font-weight: 600;
  text-align: center; break-inside: avoid }
.over { position: fixed; top: 42%; left: 0; right: 0; z-index: -1; color: #f6d9da; font-size: 78pt; line-height: 1;
  text-align: center; transform: rotate(-28deg); letter-spacing: .1em; white-space: nowrap }
.last { break-inside: avoid }
footer { margin-top: 6mm; break-inside: avoid }
footer .signed { margin: 0 0 4mm auto; width: 84mm; line-height: 1.9 }
footer .notes { margin: 0; padding: 2mm 0 0; border-top: .25mm solid #777; font-size: 8.5pt; line-height: 1.6; color: #333 }
@media screen { body { padding: 6mm 5mm } }
@media screen and (max-width: 640px) { h1 { font-size: 16pt; letter-spacing: .04em; text-indent: .04em }
  header { padding: 0 28mm 0 0; text-align: left } table { font-size: 8.5pt } th, td { padding: .6mm } small { font-size: 7.5pt }
  .whole { white-space: normal } }
"""
_UNKNOWN_STYLE = "body{font:18px/1.8 sans-serif;max-width:32em;margin:18vh auto 0;padding:0 1.2em}"


def page(verified: Verified, address: str) -> tuple[str, dict[str, str]]:
    """The page of a statement, whose check address this is, and the headers it goes with."""
    statement, paper = verified.statement, verified.paper
    style = _STYLE.replace("NUMBER", statement.number)  # on every sheet; it is letters, digits and dashes
    parts = [_state(verified), _head(statement, address), *(_groups(paper, statement, address) if paper else [])]
    title = f"志愿服务记录证明 {statement.number}"
    return _document(title, style, "".join(parts), state=verified.state), headers(style)


def refusal(problem: Problem) -> tuple[str, dict[str, str]]:
    """What somebody sees who has scanned or typed a number that we never gave out, or too often."""
    title = "查不到这份证明" if isinstance(problem, rules.StatementUnknown) else problem.title
    text = f"<h1>{title}</h1><p>{escape(problem.detail)}</p>"
    return _document(title, _UNKNOWN_STYLE, text, state="unknown"), headers(_UNKNOWN_STYLE)


def headers(style: str) -> dict[str, str]:
    """Nothing is loaded, nothing runs, nobody keeps it; its address, which is all it takes, is told to nobody."""
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow",
    }


def _document(title: str, style: str, body: str, *, state: str) -> str:
    """`state` is for whoever verifies by a program: `statement_rules.State`, or unknown."""
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="state" content="{state}">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body>{body}</body></html>"
    )


_ACROSS = {"superseded": "已替换", "revoked": "已作废", "destroyed": "已销毁"}


def _state(verified: Verified) -> str:
    if verified.state == "valid":
        return ""
    across = f'<div class="over" aria-hidden="true">{_ACROSS[verified.state]}</div>'
    return f'{across}<p class="state">{escape(verified.told)}</p>'


def _head(statement: Statement, address: str) -> str:
    period = f"{_day(statement.from_day)} 至 {_day(statement.to_day)}"
    return (
        f"<header><h1>志愿服务记录证明</h1><p>服务期间：{period}</p>"
        f'<p>编号：<span class="number">{escape(statement.number)}</span></p>'
        f"<figure>{_qr(address)}<figcaption>扫码核验</figcaption></figure></header>"
    )


def _qr(address: str) -> str:
    import segno  # 15 ms that only who looks at a page pays

    code: str = segno.make(address, error="m", micro=False).svg_inline(scale=4, border=1, omitsize=True)
    return code


def _groups(paper: Paper, statement: Statement, address: str) -> list[str]:
    """The five groups. Who signs does not stand alone on a page of its own."""
    return [
        "<h2>一、个人基本信息</h2>",
        _basic(paper),
        "<h2>二、志愿服务情况</h2>",
        _service(paper),
        "<h2>三、培训情况</h2>",
        _noted(paper.training, ("培训日期", "培训内容", "主办单位", "学时")),
        "<h2>四、表彰奖励情况</h2>",
        _noted(paper.commendation, ("日期", "表彰奖励名称", "授予单位")),
        '<section class="last"><h2>五、评价情况</h2>',
        _noted(paper.evaluation, ("日期", "评价内容", "评价单位")),
        f"{_foot(statement, address)}</section>",
    ]


def _basic(paper: Paper) -> str:
    basic = paper.basic
    cells = [
        ("姓名", basic.name),
        ("出生日期", _day(basic.born) if basic.born else "—"),
        ("所在社区", basic.area or "—"),
        ("成为志愿者", _day(basic.volunteer_since) if basic.volunteer_since else "—"),
    ]
    rows = [cells[:2], cells[2:]]
    said = "".join(
        "<tr>" + "".join(f"<th>{name}</th><td>{escape(value)}</td>" for name, value in row) + "</tr>" for row in rows
    )
    skills = escape("、".join(basic.skills) or "—")
    columns = _columns(14, 36, 15, 35)
    return f'<table>{columns}<tbody>{said}<tr><th>服务技能</th><td colspan="3">{skills}</td></tr></tbody></table>'


def _service(paper: Paper) -> str:
    if not paper.service:
        return '<p class="none">本期间没有志愿服务记录。</p>'
    columns = _columns(7, 17, 23, 19, 15, 19)
    head = _row("th", ["序号", "日期和班次时间", "活动和服务内容", "地点", "服务时长", "记录方式"])
    lines = "".join(_line(number, each) for number, each in enumerate(paper.service, start=1))
    return f"<table>{columns}<thead>{head}</thead><tbody>{lines}{_sum(paper)}</tbody></table>"


def _line(number: int, served: Served) -> str:
    how, more = record_rules.RECORDED[served.how], [f"服务对象：{served.whom}"]
    if served.service != served.title:
        more.insert(0, served.service)
    if served.leader:
        more.append(f"负责人：{served.leader}")
    kind = "".join(f"<br><small>{escape(each)}</small>" for each in more)
    if served.how == "recorded":
        how += f"<br><small>记录人：{escape(served.by or '—')}<br>原因：{escape(served.why or '—')}</small>"
    return (
        f'<tr><td class="middle">{number}</td><td><span class="whole">{_day(served.start)}</span><br>{_times(served)}</td>'
        f"<td>{escape(served.title)}{kind}</td><td>{escape(served.place)}</td>"
        f"<td>{_long(served.minutes)}</td><td>{how}</td></tr>"
    )


def _sum(paper: Paper) -> str:
    totals = paper.totals
    parts = f"其中签到签退 {record_rules.spoken(totals.checked)}，组织者补录 {record_rules.spoken(totals.recorded)}"
    return f'<tr class="sum"><td colspan="6">合计 {totals.times} 次，{record_rules.spoken(totals.together)}。{parts}。</td></tr>'


def _noted(entries: Sequence[Noted], names: Sequence[str]) -> str:
    if not entries:
        return '<p class="none">无。</p>'
    with_hours = len(names) == 4
    columns = _columns(18, 41, 26, 15) if with_hours else _columns(18, 45, 37)
    rows = "".join(_row("td", _cells(entry, with_hours)) for entry in entries)
    return f"<table>{columns}<thead>{_row('th', names)}</thead><tbody>{rows}</tbody></table>"


def _cells(entry: Noted, with_hours: bool) -> list[str]:
    cells = [_day(entry.day), escape(entry.title), escape(entry.by)]
    if with_hours:
        cells.append("—" if entry.minutes is None else _long(entry.minutes))
    return cells


def _foot(statement: Statement, address: str) -> str:
    issuer, issued = escape(statement.content["issuer"]), _day(statement.issued_at)
    signed = f'<p class="signed">出具单位（盖章）：{issuer}<br>出具日期：{issued}</p>'
    return (
        f'<footer>{signed}<p class="notes">核验地址：{escape(address)}<br>'
        "本证明依据截至出具时已确认的志愿服务记录生成，出具以后才确认、补录的服务不在其中。"
        "服务时长按实际签到签退计到分钟，没有签到的由组织者补录并写明原因，不含往返路途。"
        "任何人都可以扫码，或凭编号免费核验；纸上内容与核验结果不一致的，以核验结果为准。<br>"
        "依据：《志愿服务记录与证明出具办法（试行）》（民政部令第 67 号）。</p></footer>"
    )


def _columns(*widths: int) -> str:
    """Column widths in percent, as attributes: inline styles are not let in."""
    return "<colgroup>" + "".join(f'<col width="{width}%">' for width in widths) + "</colgroup>"


def _row(tag: str, cells: Iterable[str]) -> str:
    """Of cells that are escaped already."""
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def _times(served: Served) -> str:
    """08:00–12:00, or 22:00–次日 02:00."""
    nights = (served.end.date() - served.start.date()).days
    return f"{served.start:%H:%M}–{'次日 ' if nights else ''}{served.end:%H:%M}"


def _long(minutes: int) -> str:
    """A number is not torn from its unit in a narrow column."""
    return " ".join(f'<span class="whole">{part}</span>' for part in _pairs(record_rules.spoken(minutes).split(" ")))


def _pairs(words: Sequence[str]) -> list[str]:
    return [f"{number} {unit}" for number, unit in zip(words[::2], words[1::2], strict=True)]


def _day(day: date | datetime | str) -> str:
    """2026年2月10日, in Shanghai."""
    if isinstance(day, str):
        day = date.fromisoformat(day)
    if isinstance(day, datetime):
        day = clock.local(day).date()
    return f"{day.year}年{day.month}月{day.day}日"
