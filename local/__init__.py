"""One machine instead of AWS and WeChat: packaging, the local stage, the WeChat stand-in. Never shipped."""
