"""The page at `/`: every phone and what it received, newest first."""

from datetime import datetime, timedelta, timezone
from html import escape

from .world import Message, Person, World

REFRESH_SECONDS = 3
SHOWN_MESSAGES = 50
_STYLE = """
  body { margin: 0; background: #ededed; color: #191919;
         font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
  header { padding: 20px 24px 4px; }
  h1 { margin: 0; font-size: 20px; }
  header p, .who, .when, .empty, .none { color: #767676; margin: 0; font-size: 13px; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr));
         gap: 20px; padding: 20px 24px; align-items: start; }
  section { background: #f7f7f7; border: 1px solid #ddd; border-radius: 22px; padding: 16px 16px 20px; }
  h2 { margin: 0; font-size: 17px; }
  .who { overflow-wrap: anywhere; }
  article { background: #fff; border-radius: 8px; margin-top: 12px; padding: 12px 14px; }
  h3 { margin: 0 0 4px; font-size: 15px; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0; }
  dt { color: #767676; }
  dd { margin: 0; overflow-wrap: anywhere; }
  .page { border-top: 1px solid #eee; margin: 8px 0 0; padding-top: 6px; font-size: 13px; color: #576b95;
          overflow-wrap: anywhere; }
  .empty { margin-top: 16px; text-align: center; }
  .none { padding: 24px; }
"""


def phones(world: World) -> str:
    cards = "".join(_phone(world, person) for person in world.people.values())
    return f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<title>微信替身 · 手机收到的消息</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>微信替身 · 手机收到的消息</h1>
<p>本页只在本机开发时使用，不是真的微信。每 {REFRESH_SECONDS} 秒刷新一次。</p>
</header>
<main>{cards}</main>
{"" if cards else '<p class="none">还没有手机。运行演示，或用 POST /stand-in/people 添加。</p>'}
</body>
</html>
"""


def _phone(world: World, person: Person) -> str:
    received = [message for message in reversed(world.messages) if message.person == person.id]
    credits = sum(person.credits.values())
    notes = [f"可收一次性消息 {credits} 条", f"长期订阅 {len(person.subscribed)} 个"]
    if person.follows:
        notes.append("已关注服务号")
    if person.blocked:
        notes.append("已被微信限制登录")
    if person.messages_off:
        notes.append("已关闭消息总开关")
    shown = "".join(_message(message) for message in received[:SHOWN_MESSAGES])
    return f"""
<section>
<h2>{escape(person.name)}</h2>
<p class="who">{escape(" · ".join(notes))}</p>
{shown or '<p class="empty">还没有收到消息</p>'}
</section>"""


def _message(message: Message) -> str:
    at = datetime.fromtimestamp(message.at, timezone(timedelta(hours=8))).strftime("%m月%d日 %H:%M:%S")
    source = "服务号消息" if message.channel == "service_account" else "服务通知"
    lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in message.lines)
    link = f'<p class="page">进入小程序查看 · {escape(message.page)}</p>' if message.page else ""
    return f"""
<article>
<p class="when">{source} · {at}</p>
<h3>{escape(message.title)}</h3>
<dl>{lines}</dl>
{link}
</article>"""
