"""The only code that talks to WeChat: login, messages, content checks, codes, and what WeChat tells us."""
