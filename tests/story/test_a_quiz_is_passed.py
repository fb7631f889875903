"""李菊 answers the mask quiz: once badly, once well, and gets points and the right to a campaign for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local import district
from local.phone import Phone
from local.stack import Stack

People = Callable[[str], Phone]


def test_a_resident_passes_the_mask_quiz_at_the_second_attempt(
    newcomer: Callable[[str, str], Phone],
) -> None:
    zhang = newcomer("quiz-zhang", "张阿姨")
    assert "masks" in [quiz["id"] for quiz in zhang.get(f"/quizzes?area={district.HOME}").json["items"]]
    looked = zhang.get("/quizzes/masks").json
    assert (looked["state"], looked["attempts_left"], looked["passed"]) == ("open", 3, False)

    first = zhang.post("/quizzes/masks/attempts")
    assert first.status == 201
    assert len(first.json["questions"]) == 4
    assert "外面可能沾有病菌" not in first.content.decode(), "an explanation comes after the answers"
    attempt = f"/quizzes/masks/attempts/{first.json['id']}"
    handed = zhang.post(f"{attempt}/submit", district.who_knows_answers(first.json, mistakes=2)).json
    assert (handed["result"]["score"], handed["result"]["passed"], handed["result"]["points"]) == (2, False, 0)
    assert "没有及格" in handed["result"]["no_points"]
    assert all(each["explanation"] for each in handed["result"]["questions"])

    second = zhang.post("/quizzes/masks/attempts").json
    attempt = f"/quizzes/masks/attempts/{second['id']}"
    good = district.who_knows_answers(second, mistakes=1)
    handed = zhang.post(f"{attempt}/submit", good, key="the-same-tap").json
    assert (handed["result"]["score"], handed["result"]["points"], handed["result"]["entitled"]) == (3, 10, True)
    again = zhang.post(f"{attempt}/submit", good, key="the-same-tap")
    assert (again.status, again.json) == (200, handed)
    assert zhang.get(attempt).json == handed
    other = zhang.post(f"{attempt}/submit", district.who_knows_answers(second))
    assert (other.status, other.code) == (409, "quiz_attempt_submitted")

    points = zhang.get("/me/points").json
    statement = zhang.get(f"/me/points/statement?month={points['month']}").json["items"]
    assert [(line["change"], line["reason"], line["subject"]) for line in statement] == [(10, "答题及格", "masks")]
    assert zhang.get("/quizzes/masks").json["passed"] is True


def test_an_attempt_is_nobody_else_s_business(newcomer: Callable[[str, str], Phone], phone: People) -> None:
    wang = newcomer("quiz-wang", "王叔叔")
    begun = wang.post("/quizzes/masks/attempts").json
    attempt = f"/quizzes/masks/attempts/{begun['id']}"
    for other in (phone("li-ju"), phone("grid-worker")):
        assert other.get(attempt).code == "quiz_attempt_not_found"
        assert other.post(f"{attempt}/submit", {"answers": []}).code == "quiz_attempt_not_found"
    assert wang.post("/quizzes/masks/attempts").json == begun, "a lost screen costs no attempt"


def test_an_administrator_imports_a_bank_and_closes_a_quiz(stage: Stack, phone: People) -> None:
    """With the rights of the function's own role, and the encoding that Chinese Windows saves in."""
    text = district.MASK_QUIZ.read_text(encoding="utf-8")

    def upload(name: str, content: str) -> None:
        raw = content.encode("gb18030")
        stage.client("s3").put_object(Bucket=stage.outputs["MediaBucketName"], Key=f"imports/{name}", Body=raw)

    def administer(**command: Any) -> Any:
        return stage.invoke("administer", command)

    upload("story.csv", text)
    assert administer(command="import_questions", bank="story", file="missing.csv")["code"] == "file_not_found"
    done = administer(command="import_questions", bank="story", file="story.csv")
    assert (done["report"]["questions"], done["report"]["encoding"]) == (6, "GB18030")
    upload("wrong.csv", text + "=1+1,有用,没用,,,,,C,\n")
    refused = administer(command="import_questions", bank="story", file="wrong.csv")
    assert (refused["code"], list(refused["fields"])) == ("bank_file_wrong", ["第 8 行"])

    plan = district.mask_quiz() | {"id": "story", "bank": "story", "questions": 6, "pass_mark": 6}
    assert administer(**plan)["ok"]
    begun = phone("li-ju").post("/quizzes/story/attempts")
    assert (begun.status, len(begun.json["questions"])) == (201, 6)
    assert administer(command="close_quiz", id="story")["ok"]
    assert phone("li-ju").post("/quizzes/story/attempts").code == "quiz_closed"
    assert administer(command="close_quiz", id="nothing")["code"] == "quiz_unknown"
