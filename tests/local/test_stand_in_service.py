import io
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
import segno
import urllib3
from PIL import Image
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from local.wechat import catalogue
from local.wechat.control import Declined, StandIn
from local.wechat.server import listen, running

PROGRESS, *_ = catalogue.TEMPLATES
QR = "/wxa/getwxacodeunlimit"


class Elsewhere(HTTPAdapter):
    """Sends what wechatpy means for api.weixin.qq.com to the stand-in."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def send(self, request, **options):
        request.url = request.url.replace("https://api.weixin.qq.com", self.base)
        return super().send(request, **options)


@pytest.fixture
def client(stand_in) -> Iterator[WeChatClient]:
    client = WeChatClient(catalogue.APPID, catalogue.SECRET)
    client._http.mount("https://api.weixin.qq.com", Elsewhere(stand_in.base))
    yield client
    client._http.close()


def test_wechatpy_takes_it_for_wechat(stand_in, client, li_ju):
    assert client.wxa.code_to_session(stand_in.login_code("li_ju"))["openid"] == li_ju["openid"]
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    data = {key: {"value": value} for key, value in catalogue.TEMPLATES[PROGRESS].example.items()}
    assert client.wxa.send_subscribe_message(li_ju["openid"], PROGRESS, data)["errcode"] == 0
    with pytest.raises(WeChatClientException) as refused:
        client.wxa.send_subscribe_message(li_ju["openid"], PROGRESS, data)
    assert refused.value.errcode == 43101


def test_wechatpy_fetches_a_new_token_after_a_rotation(stand_in, client, li_ju):
    assert client.access_token
    stand_in.rotate_tokens()
    stand_in.subscribe("li_ju", accept=[PROGRESS])
    data = {key: {"value": value} for key, value in catalogue.TEMPLATES[PROGRESS].example.items()}
    assert client.wxa.send_subscribe_message(li_ju["openid"], PROGRESS, data)["errcode"] == 0
    assert stand_in.call_counts()["/cgi-bin/token"] == 2


def test_wechatpy_receives_the_picture_of_a_code(client):
    answer = client.wxa.get_wxa_code_unlimited("desk=01", page="pages/desk/desk")
    assert answer.headers["Content-Type"] == "image/png"


def test_the_code_is_a_real_qr_code_of_the_scene(api):
    answer = api.raw_post(QR, {"scene": "t=abc123", "page": "pages/desk/desk", "width": 430})
    drawn = Image.open(io.BytesIO(answer.data)).convert("1")
    expected = segno.make(f"wxacode:{catalogue.APPID}?page=pages/desk/desk&scene=t=abc123", error="m", micro=False)
    modules = expected.symbol_size()[0]
    dot = drawn.width // modules
    assert 280 <= drawn.width <= 430
    for row, line in enumerate(expected.matrix_iter(border=4)):
        for column, dark in enumerate(line):
            assert (drawn.getpixel((column * dot + dot // 2, row * dot + dot // 2)) == 0) == bool(dark)


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ({}, 40169),
        ({"scene": ""}, 40169),
        ({"scene": "a" * 33}, 40169),
        ({"scene": "a%20b"}, 40129),
        ({"scene": "桌子"}, 40129),
        ({"scene": "a", "page": "/pages/desk/desk"}, 41030),
        ({"scene": "a", "page": "pages/desk/desk?x=1"}, 41030),
        ({"scene": "a", "width": 279}, 40097),
        ({"scene": "a", "env_version": "formal"}, 40097),
    ],
)
def test_a_wrong_code_question_gets_json_instead_of_a_picture(api, body, errcode):
    assert json.loads(api.raw_post(QR, body).data)["errcode"] == errcode


def test_a_code_for_an_unreleased_page_needs_check_path_off(stand_in, api):
    stand_in.settings(missing_pages=["pages/new/new"])
    body = {"scene": "a", "page": "pages/new/new"}
    assert json.loads(api.raw_post(QR, body).data)["errcode"] == 41030
    assert api.raw_post(QR, body | {"check_path": False}).headers["Content-Type"] == "image/png"


def test_the_page_shows_each_phone_and_escapes_what_people_wrote(stand_in, api):
    person = stand_in.add_person("x", "<b>李菊</b>")
    stand_in.subscribe("x", accept=[PROGRESS])
    data = {key: {"value": value} for key, value in catalogue.TEMPLATES[PROGRESS].example.items()}
    data["thing1"] = {"value": "<img src=x>"}
    api.post("/cgi-bin/message/subscribe/send", touser=person["openid"], template_id=PROGRESS, data=data)
    shown = urllib3.request("GET", f"{stand_in.base}/").data.decode()
    assert "求助进展提醒" in shown
    assert "&lt;b&gt;李菊&lt;/b&gt;" in shown
    assert "&lt;img src=x&gt;" in shown
    assert "<img" not in shown


def test_another_host_name_reaches_nothing(stand_in):
    answer = urllib3.request("GET", f"{stand_in.base}/stand-in/people", headers={"Host": "evil.example"})
    assert answer.status == 400


def test_the_controls_refuse_what_they_do_not_know(stand_in):
    def status(act) -> int:
        with pytest.raises(Declined) as declined:
            act()
        return declined.value.status

    assert status(lambda: stand_in.person("nobody")) == 404
    assert status(lambda: stand_in.settings(push_format="yaml")) == 422
    assert status(lambda: stand_in.settings(unknown=1)) == 422
    assert status(lambda: stand_in.break_("explode")) == 422


def test_adding_the_same_person_twice_changes_nothing(stand_in, li_ju):
    stand_in.subscribe("li_ju", accept=[PROGRESS], tell=False)
    assert stand_in.add_person("li_ju", "别名")["name"] == "李菊"
    assert stand_in.person("li_ju")["credits"] == {PROGRESS: 1}


def test_everything_survives_a_graceful_stop(tmp_path, our_server):
    file = tmp_path / "local" / "wechat.json"
    with running(state_file=file) as stand_in:
        before = stand_in.add_person("li_ju", "李菊", phone="13800000001")
        stand_in.subscribe("li_ju", accept=[PROGRESS])
        code = stand_in.login_code("li_ju")
    with running(our_server.callback_url, state_file=file) as stand_in:
        assert stand_in.person("li_ju")["openid"] == before["openid"]
        assert stand_in.person("li_ju")["credits"] == {PROGRESS: 1}
        query = f"appid={catalogue.APPID}&secret={catalogue.SECRET}&js_code={code}&grant_type=authorization_code"
        answer = urllib3.request("GET", f"{stand_in.base}/sns/jscode2session?{query}").json()
        assert answer["openid"] == before["openid"]
        our_server.wait_for(1)  # the event that nobody could take before the stop


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_as_a_process_and_stops_cleanly(tmp_path, stop):
    file = tmp_path / "wechat.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "local.wechat", "--port", "0", "--state-file", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        base = process.stdout.readline().split()[-1]
        assert base.startswith("http://127.0.0.1:")
        StandIn(base).add_person("li_ju", "李菊")
    finally:
        process.send_signal(stop)
        _, complaints = process.communicate(timeout=10)
    assert complaints == ""
    assert "li_ju" in json.loads(file.read_text())["people"]


def test_a_state_file_it_cannot_read_gets_one_clear_line(tmp_path):
    file = tmp_path / "wechat.json"
    file.write_text('{"people": 5}')
    run = subprocess.run(
        [sys.executable, "-m", "local.wechat", "--port", "0", "--state-file", str(file)],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(f"{file} cannot be read")
    assert run.stderr.count("\n") == 1


def test_a_busy_port_gets_one_clear_line():
    with listen(0) as taken:
        port = taken.getsockname()[1]
        run = subprocess.run(
            [sys.executable, "-m", "local.wechat", "--port", str(port)], capture_output=True, text=True, timeout=20
        )
    assert run.returncode == 1
    assert run.stderr == f"port {port} on 127.0.0.1 cannot be used: Address already in use\n"


def test_it_listens_on_this_machine_only():
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert listener.family == socket.AF_INET
