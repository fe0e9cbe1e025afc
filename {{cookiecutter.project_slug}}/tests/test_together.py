import asyncio
import json
import threading

import httpx2
import pytest

from {{cookiecutter.project_slug}}.serving import app, settings, together


def gather(answers, *asked):
    """Return what requests get that arrive at the same time."""

    async def arrive():
        collected = together.Together(answers)
        return await asyncio.gather(*map(collected.answers, asked), return_exceptions=True)

    return asyncio.run(arrive())


def test_rows_that_arrive_together_are_scored_in_one_call():
    calls = []

    def answers(rows):
        calls.append(rows)
        return [{"value": row} for row in rows]

    assert gather(answers, [1, 2], [3], [4, 5, 6]) == [
        [{"value": 1}, {"value": 2}],
        [{"value": 3}],
        [{"value": 4}, {"value": 5}, {"value": 6}],
    ]
    assert calls == [[1, 2, 3, 4, 5, 6]]


def test_many_requests_take_several_calls_that_leave_none_out():
    calls = []

    def answers(rows):
        calls.append(rows)
        return [{"value": row} for row in rows]

    many = [[number] for number in range(3 * together.MOST + 1)]
    assert gather(answers, *many) == [[{"value": number}] for [number] in many]
    assert [len(rows) for rows in calls] == [together.MOST] * 3 + [1]


def test_a_fault_concerns_the_request_alone_whose_rows_cause_it():
    def answers(rows):
        return [{"value": 1 / row} for row in rows]

    first, second, third = gather(answers, [1], [0], [2])
    assert (first, third) == ([{"value": 1.0}], [{"value": 0.5}])
    assert isinstance(second, ZeroDivisionError)
    assert isinstance(gather(answers, [0])[0], ZeroDivisionError)


def test_a_request_that_is_cancelled_leaves_the_others_their_answers():
    async def arrive():
        collected = together.Together(lambda rows: [{"value": row} for row in rows])
        gone = asyncio.ensure_future(collected.answers([1]))
        other = asyncio.ensure_future(collected.answers([2]))
        asyncio.get_running_loop().call_soon(gone.cancel)
        answer = await other
        with pytest.raises(asyncio.CancelledError):
            await gone
        return answer

    assert asyncio.run(arrive()) == [{"value": 2}]


def test_requests_at_the_same_time_get_what_each_gets_alone(client, champion):
    rows = [client.get("/model").json()["examples"][i % 5] for i in range(40)]
    parts = [rows[start : start + 1 + start % 3] for start in range(0, 37)]
    alone = [client.post("/predict", json={"rows": part}).json() for part in parts]

    async def arrive():
        served = app.create_app(settings.Settings(champion=champion.folder))
        transport = httpx2.ASGITransport(served)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as sender:
            sent = (sender.post("/predict", json={"rows": part}) for part in parts)
            return [answer.json() for answer in await asyncio.gather(*sent)]

    at_once = asyncio.run(arrive())
    assert [one["predictions"] for one in at_once] == [one["predictions"] for one in alone]
    assert len({one["request_id"] for one in at_once}) == len(parts)


@pytest.mark.parametrize(
    ("rows", "explain", "soon"),
    [
        (1, "", True),
        (16, "", True),
        (1, ', "explain": false', True),
        (17, "", False),
        (1, ', "explain": true', False),
        (1, r', "\u0065xplain": true', False),
    ],
)
def test_what_takes_longer_leaves_other_requests_their_turn(
    client, champion, monkeypatch, rows, explain, soon
):
    row = client.get("/model").json()["examples"][0]
    body = '{"rows": ' + json.dumps([row] * rows) + explain + "}"
    served, threads = app.create_app(settings.Settings(champion=champion.folder)), []
    answers = type(champion).answers

    def noted(self, rows):
        threads.append(threading.current_thread())
        return answers(self, rows)

    async def arrive():
        transport = httpx2.ASGITransport(served)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as sender:
            return await sender.post("/predict", content=body)

    monkeypatch.setattr(type(champion), "answers", noted)
    assert asyncio.run(arrive()).status_code == 200
    assert [one is threading.current_thread() for one in threads] == [soon]
