"""What slices do with a photo that was shown or refused: once these are imported, `content.photos` can tell them."""

# ruff: noqa: F401 - imported for what they register

import chalicelib.help.pictures
import chalicelib.mall.pictures
import chalicelib.posts.pictures
import chalicelib.profile.service
