"""The WeChat stand-in: a small stateful service that answers as api.weixin.qq.com does. Never shipped.

It is the only fake in this project, because WeChat is the only thing we use and cannot run ourselves.
"""
