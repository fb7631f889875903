"""For each route with a body, one that is right."""

from __future__ import annotations

from typing import Any

from chalicelib.kit.http import Route
from local.wechat import catalogue
from tests.mall.shop import PRICE
from tests.security import presence, shift_hours, shifts, volunteers
from tests.security.world import CONTACT_NAME, CONTACT_PHONE, MASKS, WATER, World
from tests.shifts import organised
from tests.volunteers import crew, hours


def right_body(route: Route, world: World) -> Any:
    if route.body is None:
        return None
    hood = world.hood
    bodies: dict[str, Any] = {
        "PUT /me/residence": {"area": hood.grid},
        "POST /residences/{resident_id}/confirm": {"area": hood.micro_grid},
        "POST /residences/{resident_id}/decline": {"area": hood.micro_grid, "reason": "没有这户人家"},
        "POST /residents/{resident_id}/identity": {"reason": "电话核实住址"},
        "POST /delegations": {"code": "00000000"},
        "POST /me/close": {"word": "注销"},
        "POST /reviews/{review_id}/decide": {"decision": "approve"},
        "POST /help-requests": MASKS,
        "POST /help-requests/on-behalf": {
            **MASKS,
            "area": hood.community,
            "contact_name": CONTACT_NAME,
            "contact_phone": CONTACT_PHONE,
        },
        "POST /help-requests/{request_id}/contact": {"reason": "电话核实需要"},
        "POST /help-requests/{request_id}/object": {"reason": "东西不对"},
        "POST /help-requests/{request_id}/flags": {"reason": "other", "text": "像是广告"},
        "POST /help-requests/{request_id}/photos": {},
        "POST /help-requests/{request_id}/offers": {"quantity": 1},
        "POST /help-requests/{request_id}/offers/{offer_id}/thanks": {"text": "谢谢你"},
        "POST /help-requests/{request_id}/offers/{offer_id}/messages": {"text": "好的，知道了"},
        "POST /pick-ups": {"code": world.code},
        "POST /products/{product_id}/redemptions": {"price": PRICE, "deliver": True},
        "POST /desk/look-up": {"code": world.desk_code},
        "POST /desk/collect": {"code": world.desk_code},
        "POST /deliveries/{redemption_id}/with-code": {"code": world.door_code},
        "POST /deliveries/{redemption_id}/with-photo": {
            "photo_id": world.ids["proof_id"],
            "reason": "家里没人，放在门口",
        },
        "POST /deliveries/{redemption_id}/photos": {},
        "POST /products/{product_id}/photos": {},
        "PUT /me/help-alerts": {"on": True},
        "POST /quizzes/{quiz_id}/attempts/{attempt_id}/submit": {"answers": world.answers},
        "POST /shifts/{shift_id}/sign-up": {"wait": True},
        "POST /volunteers/{resident_id}/entries": hours.training(),
        "POST /volunteers/{resident_id}/entries/{entry_id}/revoke": {"reason": "证书编号查无此人"},
        "POST /me/statements": {"from": f"{hours.today()}", "to": f"{hours.today()}"},
        "POST /teams": {"name": crew.NAME},
        "POST /teams/join": lambda: {"code": crew.stored(world.ids["team_id"]).code},  # another after it was renewed
        "POST /teams/{team_id}/name": {"name": "护企二队"},
        "POST /teams/{team_id}/hand-over": {"member": world.helper.id},
        "POST /shifts/{shift_id}/team-sign-up": {"team": world.ids["team_id"]},
        "POST /shifts/{shift_id}/team-withdraw": {"team": world.ids["team_id"]},
        "POST /posts": {**WATER, "area": hood.community},
        "POST /posts/{post_id}/photos": {},
        "POST /shifts/{shift_id}/confirm": {"leave_out": []},
        "POST /shifts/{shift_id}/people/{person_id}/hours": {"minutes": 60, "reason": shift_hours.REASON},
        "POST /shifts/{shift_id}/hours/corrections": {"minutes": 60, "reason": shift_hours.REASON},
        "POST /hours-corrections/{correction_id}/accept": {"minutes": shift_hours.MINUTES},
        "POST /hours-corrections/{correction_id}/decline": {"reason": "没有依据"},
        "POST /activities": shifts.form(hood),
        "PUT /activities/{activity_id}": {**shifts.form(hood), "version": 0},
        "POST /activities/{activity_id}/shifts": {"version": 1, "shifts": [organised.single(5)]},
        "POST /activities/{activity_id}/publish": {"version": 0},
        "POST /activities/{activity_id}/cancel": {"reason": "下雨了，改天再守"},
        "POST /shifts/{shift_id}/change": {"version": 0, "place": "桂苑社区南门"},
        "POST /shifts/{shift_id}/cancel": {"reason": "下雨了，改天再守"},
        "POST /me/credits": {"answers": {next(iter(catalogue.TEMPLATES)): "accept"}},
        "POST /login": {"code": "x"},
        "POST /me/consent": {"version": "x"},
        "POST /me/phone": {"code": "x"},
        "PUT /me/nickname": {"nickname": "菊子"},
        "POST /me/avatar": {},
        **volunteers.BODIES,
    }
    bodies |= presence.bodies(world.ids)
    assert route.name in bodies, f"tests/security/bodies.py has no body for {route.name}"
    body = bodies[route.name]
    return body() if callable(body) else body
