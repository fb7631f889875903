import pytest

from local.wechat import catalogue, tokens
from local.wechat.errors import WeChatError
from local.wechat.world import World


@pytest.fixture
def world() -> World:
    return World()


def stable(world: World, **more: object) -> dict:
    body = {"grant_type": "client_credential", "appid": catalogue.APPID, "secret": catalogue.SECRET}
    return tokens.stable_token(world, body | more)


def plain(world: World) -> str:
    return tokens.plain_token(world, appid=catalogue.APPID, secret=catalogue.SECRET, grant_type="client_credential")[
        "access_token"
    ]


def refusal(world: World, token: str) -> int:
    try:
        tokens.require_token(world, token, appid=catalogue.APPID)
    except WeChatError as refused:
        return refused.errcode
    return 0


def errcode_of(act) -> int:
    with pytest.raises(WeChatError) as refused:
        act()
    return refused.value.errcode


def test_everybody_gets_the_same_stable_token_with_less_time_left(world):
    first = stable(world)
    world.clock_offset += 100
    second = stable(world)
    assert first["access_token"] == second["access_token"]
    assert first["expires_in"] == 7200
    assert 7098 <= second["expires_in"] <= 7100


def test_the_stable_token_is_replaced_in_its_last_five_minutes_while_the_old_one_still_works(world):
    old = stable(world)["access_token"]
    world.clock_offset += 6901
    new = stable(world)["access_token"]
    assert new != old
    assert refusal(world, old) == refusal(world, new) == 0


def test_a_token_expires(world):
    token = stable(world)["access_token"]
    world.clock_offset += 7201
    assert refusal(world, token) == 42001


def test_forcing_a_new_token_kills_the_old_one_at_once(world):
    old = stable(world)["access_token"]
    new = stable(world, force_refresh=True)["access_token"]
    assert refusal(world, old) == 40001
    assert refusal(world, new) == 0


def test_forcing_is_limited_to_twice_a_minute_and_twenty_times_a_day(world):
    stable(world, force_refresh=True)
    assert errcode_of(lambda: stable(world, force_refresh=True)) == 45011
    world.clock_offset = -(world.now() + 8 * 3600) % 86400  # so that the day does not end under the test
    for _ in range(20):
        world.clock_offset += 31
        stable(world, force_refresh=True)
    world.clock_offset += 31
    assert errcode_of(lambda: stable(world, force_refresh=True)) == 45009


def test_each_plain_token_ends_the_one_before_after_five_minutes(world):
    first = plain(world)
    second = plain(world)
    assert refusal(world, first) == refusal(world, second) == 0
    world.clock_offset += 301
    assert refusal(world, first) == 40001
    assert refusal(world, second) == 0


def test_plain_and_stable_tokens_do_not_disturb_each_other(world):
    token = stable(world)["access_token"]
    plain(world)
    plain(world)
    world.clock_offset += 600
    assert refusal(world, token) == 0


def test_rotation_refuses_every_token_and_gives_a_new_one(world):
    old = stable(world)["access_token"]
    tokens.rotate(world)
    assert refusal(world, old) == 40001
    assert refusal(world, stable(world)["access_token"]) == 0


def test_expiry_refuses_every_token_as_merely_old(world):
    old = stable(world)["access_token"]
    tokens.expire(world)
    assert refusal(world, old) == 42001
    assert stable(world)["access_token"] != old


def test_a_missing_an_invented_and_a_foreign_token_are_told_apart(world):
    service = stable(world, appid=catalogue.SERVICE_APPID, secret=catalogue.SERVICE_SECRET)["access_token"]
    assert refusal(world, "") == 41001
    assert refusal(world, "invented") == 40001
    assert refusal(world, service) == 48001


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [({"appid": "wx0"}, 40013), ({"secret": "wrong"}, 40125), ({"grant_type": "x"}, 40002), ({"appid": 5}, 40013)],
)
def test_wrong_credentials_get_no_token(world, changed, errcode):
    assert errcode_of(lambda: stable(world, **changed)) == errcode


def test_tokens_are_at_most_512_characters(world):
    assert len(stable(world)["access_token"]) <= 512


def test_the_endpoints_insist_on_their_method(api):
    assert api.get("/cgi-bin/stable_token")["errcode"] == 43002
    assert api.post("/cgi-bin/token", token="")["errcode"] == 43001


def test_the_plain_endpoint_gives_a_working_token(api):
    query = {"grant_type": "client_credential", "appid": catalogue.APPID, "secret": catalogue.SECRET}
    token = api.get("/cgi-bin/token", **query)["access_token"]
    assert api.get("/wxaapi/newtmpl/gettemplate", access_token=token)["errcode"] == 0
