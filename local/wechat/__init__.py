"""The WeChat stand-in: a small stateful service that answers as api.weixin.qq.com does. Never shipped.

It is the only fake in this project, because WeChat is the only thing we use and cannot run ourselves. What it
answers follows WeChat's documentation; where that is silent, the code says what was assumed.

In a process of its own: `python -m local.wechat --port 8091 --callback-url URL --state-file .local/wechat.json`.
In a test: `with local.wechat.server.running(callback_url) as stand_in: …`, where `stand_in.base` is the value
for WECHAT_API_BASE and its methods are the controls (`local.wechat.control.StandIn`).

    catalogue   accounts, keys, templates, words          world    everything it remembers
    people      phones, codes, credits, openids           tokens   stable and plain access tokens
    fields      rules for the values in a message         messages sending them
    content     text and picture checks                   qr       mini-program codes
    pushes      events: shape, signature, encryption      postman  posts them, fetches pictures
    limits      quotas, switches, the log of calls        errors   errcode and errmsg
    app         WeChat's routes      control_routes, page the stand-in's own      server   running it
"""
