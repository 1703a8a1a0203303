#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wire.py SOCKET PID COUNT: misbehave in every way; after each an honest client is served."""
import os
import resource
import socket
import struct
import sys

from rpc import Conn, Failed, pack, request

PATH, PID, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
MIB = 1 << 20
CHECK = request(7, "ticket.check", {"ticket": "t1"})


def verdict(answer):
    return answer[3]["gate"]["verdict"] if answer and answer[2] is None else answer


def served():
    """An honest client gets its answer."""
    conn = Conn(PATH)
    try:
        return conn.ask("ticket.check", ticket="t1")["gate"]["verdict"] == "clear"
    finally:
        conn.close()


def is_served(conn):
    return conn.ask("ticket.check", ticket="t1")["gate"]["verdict"] == "clear"


def refusal(data):
    """What the agent says to such bytes before it hangs up; nothing follows."""
    conn = Conn(PATH)
    try:
        conn.send(data)
    except (BrokenPipeError, ConnectionResetError):
        pass
    answer = conn.receive()
    assert answer and answer[0] == 1, f"no refusal but {answer!r}"
    assert conn.receive() is None, "the connection goes on"
    conn.close()
    return answer


def refused(data, text=""):
    answer = refusal(data)
    assert answer[2][0] == 1 and answer[2][1].startswith("bad_message: "), answer
    assert text in answer[2][1], answer


def memory():
    with open(f"/proc/{PID}/status") as status:
        for line in status:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0


def half_a_message():
    conn = Conn(PATH)
    conn.send(CHECK[:len(CHECK) // 2])
    assert served(), "another is not served"
    conn.send(CHECK[len(CHECK) // 2:])
    assert verdict(conn.receive()) == "clear"


def a_byte_at_a_time():
    conn = Conn(PATH)
    for i in range(len(CHECK)):
        conn.send(CHECK[i:i + 1])
    assert verdict(conn.receive()) == "clear"


def two_requests_in_one_write():
    conn = Conn(PATH)
    conn.send(request(1, "ticket.check", {"ticket": "t1"}) + request(2, "agent.sync"))
    assert [conn.receive()[1], conn.receive()[1]] == [1, 2]


def a_thousand_requests_in_one_write():
    conn = Conn(PATH)
    conn.send(b"".join(request(i, "agent.sync") for i in range(1000)))
    assert [conn.receive()[1] for _ in range(1000)] == list(range(1000))


def one_byte_more_than_a_mebibyte():
    whole = request(1, "ticket.check", {"ticket": "t1", "pad": "x"})
    pad = MIB - len(whole) + 1
    conn = Conn(PATH)
    conn.send(request(1, "ticket.check", {"ticket": "t1", "pad": "x" * pad}))
    assert verdict(conn.receive()) == "clear", "a mebibyte is taken"
    refused(request(1, "ticket.check", {"ticket": "t1", "pad": "x" * (pad + 1)}), "1048576 bytes")


def headers_that_lie():
    before = memory()
    for head in (b"\xdd\x10\x00\x00\x00", b"\xdf\x7f\xff\xff\xff", b"\xdb\xff\xff\xff\xff",
                 b"\xc6\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01", b"\x94\x00\x01\xdd\xff\xff\xff\xff"):
        refused(head)
    assert memory() - before < 8 * MIB, "and memory was taken for them"


def a_thousand_levels():
    refused(b"\x91" * 1000 + b"\xc0", "16 levels")
    refused(b"\x81\xa1a" * 1000, "16 levels")


def what_is_no_messagepack():
    refused(b"\xc1", "0xc1")
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xc0", b"\x90", b"\x93\x00\x01\xa1x", pack({}),
                 pack([9, 1, "agent.sync", [{}]]), pack([0, -1, "agent.sync", [{}]]),
                 pack([0, 1, 2, [{}]]), pack([0, 1, "agent.sync", {}]),
                 pack([0, 1, "agent.sync", [1]]), pack([0, 1 << 40, "agent.sync", [{}]])):
        refused(data)


def failing(method, params, text):
    conn = Conn(PATH)
    conn.send(request(1, method, params))
    answer = conn.receive()
    assert answer[1] == 1 and answer[2] == [1, answer[2][1]] and text in answer[2][1], answer
    assert is_served(conn), "the connection is of no use afterwards"


def an_unknown_method():
    failing("ticket.nonsense", {}, "unknown_method: ")
    failing("x" * 100000, {}, "unknown_method: ")
    failing("", {}, "unknown_method: ")


def wrong_parameters():
    failing("ticket.check", {}, "bad_argument: ")
    failing("ticket.check", {"ticket": 1}, "ticket")
    failing("ticket.check", {"ticket": None}, "ticket")
    failing("ticket.check", {"ticket": "a\0b"}, "ticket")
    failing("ticket.check", {"ticket": b"t1"}, "ticket")
    failing("ticket.list", {"limit": "many"}, "limit")
    failing("ticket.list", {"limit": -1}, "limit")
    failing("ticket.list", {"limit": 1 << 63}, "limit")
    failing("ticket.list", {"state": ["nonsense"]}, "state")
    failing("record.add", {"ticket": "t1", "kind": "adores", "other": "t2"}, "kind")
    conn = Conn(PATH)
    twice = struct.pack(">B", 0x82) + (pack("ticket") + pack("t1")) * 2
    conn.send(b"\x94\x00\x01" + pack("ticket.check") + b"\x91" + twice)
    assert "bad_argument" in conn.receive()[2][1], "a key that stands twice"
    conn.send(b"\x94\x00\x02" + pack("ticket.check") + b"\x91\x81" + pack("ticket") + b"\xa2\xff\xfe")
    assert "UTF-8" in conn.receive()[2][1], "text that is none"


def unknown_keys():
    conn = Conn(PATH)
    deep = "x"
    for _ in range(10):
        deep = [deep]
    conn.send(request(3, "ticket.check", {"ticket": "t1", "later": deep, "more": {"a": None}}))
    assert verdict(conn.receive()) == "clear"
    conn.send(b"\x94\x00\x04" + pack("agent.sync") + b"\x90")
    assert conn.receive()[1] == 4, "no parameters at all"


def notifications_and_answers_that_nobody_asked_for():
    conn = Conn(PATH)
    conn.send(pack([2, "agent.stop", [{}]]) + pack([2, "nonsense", [{}]]) + pack([1, 5, None, {}]) +
              pack([1, 5, [0, "x: y"], None]) + CHECK)
    answer = conn.receive()
    assert answer[1] == 7 and verdict(answer) == "clear", answer


def a_client_that_sends_and_hangs_up():
    for _ in range(50):
        conn = Conn(PATH)
        conn.send(request(1, "agent.describe") * 20)
        conn.close()
    conn = Conn(PATH)
    conn.send(CHECK)
    conn.sock.shutdown(socket.SHUT_WR)
    assert verdict(conn.receive()) == "clear", "who only stopped sending gets the answer"
    assert conn.receive() is None, "and then the end"
    conn = Conn(PATH)
    conn.send(request(1, "record.add", {"ticket": "t2", "kind": "related", "other": "t3",
                                        "message": "left behind"}))
    conn.close()
    ask = Conn(PATH)
    while not any(r.get("note") == "left behind" for r in ask.ask("record.query")["records"]):
        pass


def a_client_that_takes_no_answer():
    before = memory()
    conn = Conn(PATH)
    conn.sock.settimeout(0.2)
    sent = 0
    try:
        while sent < 64 * MIB:
            sent += conn.sock.send(request(1, "agent.describe") * 500)
    except (socket.timeout, BlockingIOError):
        pass
    assert sent < 64 * MIB, "it may send without end"
    assert served(), "another is not served"
    assert memory() - before < 64 * MIB, "and takes the memory for it"
    conn.close()


def read_only_is_for_good():
    conn = Conn(PATH)
    assert conn.ask("agent.hello", read_only=True)["read_only"] is True
    conn.ask("agent.hello", read_only=False)
    try:
        conn.ask("record.add", ticket="t1", kind="related", other="t2")
        raise AssertionError("it wrote")
    except Failed as why:
        assert str(why).startswith("read_only: "), why


def hello():
    conn = Conn(PATH)
    answer = conn.ask("agent.hello", client="wire.py", want=["ticket.check", "record.add"])
    where = os.stat(answer["common"])
    assert (answer["common_dev"], answer["common_ino"]) == (where.st_dev, where.st_ino)
    assert answer["message_max"] == MIB and "queue.list" in answer["capabilities"]
    try:
        conn.ask("agent.hello", want=["time.travel"])
        raise AssertionError("it can")
    except Failed as why:
        assert "time.travel" in str(why), why


def writes_are_answered_in_order():
    conn = Conn(PATH)
    params = {"ticket": "t2", "kind": "related", "other": "t1"}
    conn.send(b"".join(request(i, *(("record.add", params) if i % 2 else ("record.query", {})))
                       for i in range(20)))
    counts = []
    for i in range(20):
        answer = conn.receive()
        assert answer[1] == i and answer[2] is None, answer
        if i % 2 == 0:
            counts.append(answer[3]["count"])
    steps = {b - a for a, b in zip(counts, counts[1:])}
    assert steps <= {0, 1} and counts == sorted(counts), f"a question behind a write misses it: {counts}"


def many_connections():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(COUNT, hard - 50 if hard > 0 else COUNT)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(count + 50, hard)), hard))
    conns = [Conn(PATH, timeout=60) for _ in range(count)]
    assert served(), "one more is not served"
    for conn in conns:
        conn.send(CHECK)
    for conn in conns:
        assert verdict(conn.receive()) == "clear"
    assert conns[0].ask("agent.status")["clients"] == count
    for conn in conns[1:]:
        conn.close()
    while conns[0].ask("agent.status")["clients"] > 1:
        pass


STORIES = [
    hello, half_a_message, a_byte_at_a_time, two_requests_in_one_write,
    a_thousand_requests_in_one_write, one_byte_more_than_a_mebibyte, headers_that_lie,
    a_thousand_levels, what_is_no_messagepack, an_unknown_method, wrong_parameters, unknown_keys,
    notifications_and_answers_that_nobody_asked_for, a_client_that_sends_and_hangs_up,
    a_client_that_takes_no_answer, read_only_is_for_good, writes_are_answered_in_order,
    many_connections,
]


def main():
    for story in STORIES:
        name, why = story.__name__.replace("_", " "), None
        try:
            story()
            assert served(), "afterwards another is not served"
        except Exception as caught:  # whatever it is, it is this story's failure
            why = f"{type(caught).__name__}: {caught}"
        print(f"{'not ok' if why else 'ok'} {name}; others are served" if not why
              else f"not ok {name}\n# {why[:1000]}")


if __name__ == "__main__":
    main()
