#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of tpd that can also misbehave, and a reader of tpctl's JSON.

rpc.py field PATH...    values of a JSON answer on standard input, one a line; a path is
                        keys with dots: a number picks from a list, * takes all of it, #
                        counts it, KEY=VALUE keeps the objects in which it holds
rpc.py ask SOCKET METHOD [JSON]
"""
import json
import socket
import struct
import sys


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">Bq", 0xD3, value) if value < 0 else struct.pack(">BQ", 0xCF, value)
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogateescape")
        return struct.pack(">BI", 0xDB, len(text)) + text
    if isinstance(value, dict):
        parts = [pack(part) for item in value.items() for part in item]
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(parts)
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(map(pack, value))


class Short(Exception):
    """The bytes end before the value does."""


NUMBERS = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q",
           0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
LENGTHS = {0xC4: "B", 0xC5: "H", 0xC6: "I", 0xD9: "B", 0xDA: "H", 0xDB: "I",
           0xDC: "H", 0xDD: "I", 0xDE: "H", 0xDF: "I"}


def number(data, at, form):
    end = at + struct.calcsize(">" + form)
    if end > len(data):
        raise Short
    return struct.unpack_from(">" + form, data, at)[0], end


def head(data, at):
    """What kind of value begins here, its length or itself, and where it goes on."""
    if at >= len(data):
        raise Short
    byte, at = data[at], at + 1
    if byte < 0x80 or byte >= 0xE0:
        return "value", byte if byte < 0x80 else byte - 256, at
    if byte < 0xC0:
        kind = "map" if byte < 0x90 else "list" if byte < 0xA0 else "text"
        return kind, byte & (0x1F if kind == "text" else 0x0F), at
    if byte in (0xC0, 0xC2, 0xC3):
        return "value", {0xC0: None, 0xC2: False, 0xC3: True}[byte], at
    if byte in NUMBERS:
        return ("value", *number(data, at, NUMBERS[byte]))
    kind = "bytes" if byte < 0xC7 else "text" if byte < 0xDC else "list" if byte < 0xDE else "map"
    return (kind, *number(data, at, LENGTHS[byte]))


def unpack(data, at=0):
    """A value and where it ends."""
    kind, size, at = head(data, at)
    if kind == "value":
        return size, at
    if kind in ("text", "bytes"):
        if at + size > len(data):
            raise Short
        part = bytes(data[at:at + size])
        return (part.decode() if kind == "text" else part), at + size
    parts = []
    for _ in range(size * (2 if kind == "map" else 1)):
        part, at = unpack(data, at)
        parts.append(part)
    return (dict(zip(parts[::2], parts[1::2])) if kind == "map" else parts), at


def request(msgid, method, params=None):
    return pack([0, msgid, method, [params or {}]])


class Failed(Exception):
    """The agent said no."""


class Conn:
    def __init__(self, path, timeout=20):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.data = bytearray()
        self.last = 0

    def send(self, data):
        self.sock.sendall(data)

    def receive(self):
        """The next message, or None at the end."""
        while True:
            try:
                message, end = unpack(self.data)
                self.size = end
                del self.data[:end]
                return message
            except Short:
                pass
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.data += more

    def ask(self, method, **params):
        self.last += 1
        self.send(request(self.last, method, params))
        answer = self.receive()
        if answer is None:
            raise Failed("the agent hung up")
        if answer[:2] != [1, self.last]:
            raise Failed("an answer to something else: %r" % answer)
        if answer[2] is not None:
            raise Failed(answer[2][1])
        return answer[3]

    def close(self):
        self.sock.close()


def step(value, key):
    if isinstance(value, list):
        if key == "#":
            return len(value)
        if key.lstrip("-").isdigit():
            return value[int(key)] if int(key) < len(value) else None
        if "=" in key:
            name, wanted = key.split("=", 1)
            return [one for one in value if str(one.get(name)) == wanted]
        if key == "*":
            return value
        return [step(one, key) for one in value]
    return value.get(key) if isinstance(value, dict) else None


def show(value):
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def field(paths):
    answer = json.load(sys.stdin)
    for path in paths:
        value = answer
        for key in path.split("."):
            value = step(value, key)
        for one in value if isinstance(value, list) else [value]:
            print(show(one))


def main():
    if sys.argv[1] == "field":
        field(sys.argv[2:])
    else:
        params = json.loads(sys.argv[4]) if len(sys.argv) > 4 else {}
        print(json.dumps(Conn(sys.argv[2]).ask(sys.argv[3], **params)))


if __name__ == "__main__":
    main()
