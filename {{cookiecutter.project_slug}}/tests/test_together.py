import asyncio
import json
import selectors
import threading

import httpx2
import pytest
import uvicorn

from {{cookiecutter.project_slug}}.serving import app, connection, settings, together


@pytest.fixture
def gateway(champion):
    return app.create_app(settings.Settings(champion=champion.folder))


@pytest.fixture
def rows(client):
    return client.get("/model").json()["examples"]


@pytest.fixture
def calls(champion, monkeypatch):
    """Return what is scored: for each call the number of rows and the thread."""
    found, answers = [], type(champion).answers

    def noted(self, rows):
        found.append((len(rows), threading.current_thread()))
        return answers(self, rows)

    monkeypatch.setattr(type(champion), "answers", noted)
    return found


def body(rows, **more):
    return json.dumps({"rows": rows, **more}).encode()


def request(content, *headers):
    lines = ["POST /predict HTTP/1.1", "host: here", f"content-length: {len(content)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def answer(reader):
    """Return the status, the headers and the content of the next answer of a connection."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    headers = dict(line.split(": ", 1) for line in lines)
    content = await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers, json.loads(content)


def exchange(gateway, *connections):
    """Return the answers of each connection, on which parts of requests are sent at once."""

    async def arrive():
        config = uvicorn.Config(gateway, log_config=None)
        state, shared = uvicorn.server.ServerState(), together.Together(gateway)
        loop = asyncio.get_running_loop()

        def protocol():
            named = {"config": config, "server_state": state, "app_state": {}}
            return connection.Connection(10, shared, **named)

        async with await loop.create_server(protocol, "127.0.0.1", 0) as server:
            address = server.sockets[0].getsockname()
            opened = [await asyncio.open_connection(*address) for _ in connections]
            while len(state.connections) < len(connections):
                await asyncio.sleep(0.01)
            for (_, writer), parts in zip(opened, connections, strict=True):
                writer.write(parts[0])
            for (_, writer), parts in zip(opened, connections, strict=True):
                for part in parts[1:]:
                    await asyncio.sleep(0.05)
                    writer.write(part)
            found = []
            for (reader, _), parts in zip(opened, connections, strict=True):
                count = b"".join(parts).count(b"POST ")
                found.append([await answer(reader) for _ in range(count)])
            for _, writer in opened:
                writer.close()
            return found

    return asyncio.run(arrive())


def plain(answers):
    """Return answers without what differs from one to the next."""
    return [
        (status, headers | {"x-request-id": "", "date": ""}, said | {"request_id": ""})
        for status, headers, said in answers
    ]


def test_rows_that_arrive_together_are_scored_in_one_call(gateway, rows, calls):
    asked = [rows[:2], rows[:1], rows[:3]]
    found = exchange(gateway, *([request(body(one))] for one in asked))
    assert [len(said["predictions"]) for [(_, _, said)] in found] == [2, 1, 3]
    assert sum(count for count, _ in calls) == 6 and len(calls) < 3
    assert len({said["request_id"] for [(_, _, said)] in found}) == 3
    assert all(h["x-request-id"] == said["request_id"] for [(_, h, said)] in found)


def test_many_requests_take_several_calls_that_leave_none_out(gateway, rows, calls):
    count = 3 * together.MOST + 1
    many = [[rows[number % len(rows)]] for number in range(count)]
    alone = [gateway.follower.served.answer(body(one), "").body for one in many]
    calls.clear()
    found = exchange(gateway, *([request(body(one))] for one in many))
    expected = [json.loads(one)["predictions"] for one in alone]
    assert [said["predictions"] for [(_, _, said)] in found] == expected
    assert sum(scored for scored, _ in calls) == count
    assert max(scored for scored, _ in calls) <= together.MOST


def test_a_request_that_comes_in_parts_gets_the_same_answer_and_headers(gateway, rows):
    whole = request(body(rows))
    for cut in (1, 30, len(whole) - len(body(rows)), len(whole) - 1):
        [[one], [other]] = exchange(gateway, [whole], [whole[:cut], whole[cut:]])
        assert plain([one]) == plain([other])


def test_requests_that_follow_without_waiting_are_answered_in_their_order(gateway, rows):
    for others in ([], [[request(body(rows))]]):
        asked = [request(body(rows[:count])) for count in (1, 2, 3)]
        asked += [request(b"{"), request(body(rows[:4])), request(body(rows[:1], explain=True))]
        found, *_ = exchange(gateway, [b"".join(asked)], *others)
        assert [status for status, _, _ in found] == [200, 200, 200, 422, 200, 200]
        counts = [len(said.get("predictions", ())) for _, _, said in found]
        assert counts == [1, 2, 3, 0, 4, 1]


def test_a_fault_concerns_the_request_alone_whose_rows_cause_it(gateway, rows, monkeypatch):
    served = gateway.follower.served
    predictions = served.predictions

    def fail(asked, explain=False):
        if len(asked) != 1:
            raise ZeroDivisionError
        return predictions(asked, explain)

    monkeypatch.setitem(vars(served), "predictions", fail)
    sent = [[request(body(rows[:count]))] for count in (1, 2, 1)]
    for asked in (sent, sent[:1], sent[1:2]):
        found = exchange(gateway, *asked)
        expected = [500 if one is sent[1] else 200 for one in asked]
        assert [status for [(status, _, _)] in found] == expected
    assert gateway.busy == 0


class Client:
    def __init__(self):
        self.said = []

    def answer(self, reply, identity):
        self.said.append(json.loads(reply.body))

    def hand_over(self):
        raise AssertionError


def test_what_waits_can_be_answered_before_its_turn_and_is_answered_once(gateway, rows):
    async def arrive():
        shared, clients = together.Together(gateway), [Client(), Client()]
        assert all(shared.take(one, {}, body(rows[:1]), False) for one in clients)
        assert gateway.busy == 2
        shared.settle()
        shared.settle()
        await asyncio.sleep(0)
        return [len(one.said) for one in clients]

    assert asyncio.run(arrive()) == [1, 1]
    assert gateway.busy == 0


def test_the_loop_sleeps_unless_a_client_that_is_alone_asks_again_at_once(
    gateway, rows, monkeypatch
):
    slept = []

    class Selector(selectors.DefaultSelector):
        def select(self, timeout=None):
            slept.append(timeout != 0)
            return super().select(timeout)

    async def sleeps():
        slept.clear()
        await asyncio.sleep(0.01)
        return any(slept)

    async def arrive():
        shared, client, asked = together.Together(gateway), Client(), body(rows[:1])
        for soon, expected in [(3600, True), (3600, False), (0, True), (0, True)]:
            monkeypatch.setattr(together, "SOON", soon)
            await asyncio.sleep(0)
            shared.take(client, {}, asked, True)
            assert await sleeps() is expected
        assert len(client.said) == 4

    def loop():
        return asyncio.SelectorEventLoop(Selector())

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(arrive())


@pytest.mark.parametrize("key", ["", "authorization: Bearer two", "authorization: Bearer one"])
def test_a_key_is_asked_for(champion, rows, key):
    chosen = settings.Settings(champion=champion.folder, api_keys={"one"})
    locked = app.create_app(chosen)
    headers = [key] if key else []
    [[(status, _, _)]] = exchange(locked, [request(body(rows), *headers)])
    assert status == (200 if key.endswith("one") else 401)


def test_a_server_that_stops_asks_its_clients_to_hang_up(gateway, rows):
    gateway.closing = True
    [[(status, headers, _)]] = exchange(gateway, [request(body(rows))])
    assert (status, headers["connection"]) == (200, "close")


def test_what_is_answered_is_counted(gateway, rows):
    exchange(gateway, [request(body(rows[:2]))], [request(body(rows[:3]))])
    figures = gateway.follower.telemetry.text().decode()
    assert 'project_requests_total{route="/predict",status="200"} 2.0' in figures
    assert "project_rows_total 5.0" in figures


def test_requests_at_the_same_time_get_what_each_gets_alone(client, gateway, rows):
    some = [rows[i % 5] for i in range(40)]
    parts = [some[start : start + 1 + start % 3] for start in range(0, 37)]
    alone = [client.post("/predict", json={"rows": part}).json() for part in parts]
    at_once = [said for [(_, _, said)] in exchange(gateway, *([request(body(p))] for p in parts))]
    assert [one["predictions"] for one in at_once] == [one["predictions"] for one in alone]
    assert len({one["request_id"] for one in at_once}) == len(parts)


@pytest.mark.parametrize(
    ("count", "explain", "soon"),
    [
        (1, "", True),
        (128, "", True),
        (1, ', "explain": false', True),
        (129, "", False),
        (1, ', "explain": true', False),
        (1, r', "\u0065xplain": true', False),
    ],
)
def test_what_takes_longer_leaves_other_requests_their_turn(
    gateway, rows, calls, count, explain, soon
):
    compact = json.dumps(rows[:1] * count, separators=(",", ":"))
    content = '{"rows": ' + compact + explain + "}"
    sent = request(content.encode())
    assert len(content) < 65_536

    async def arrive():
        transport = httpx2.ASGITransport(gateway)
        async with httpx2.AsyncClient(transport=transport, base_url="http://here") as sender:
            return await sender.post("/predict", content=content)

    assert asyncio.run(arrive()).status_code == 200
    [[(status, _, _)]] = exchange(gateway, [sent])
    assert status == 200
    assert [one is threading.current_thread() for _, one in calls] == [soon, soon]
