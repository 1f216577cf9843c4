"""Name servers and web servers of a test, in a network of its own. Reads "group.json": for each
address what its name server does, and what the good ones know."""

import http.server
import json
import socket
import struct
import sys
import threading

GROUP = json.load(open("group.json"))
A, CNAME, AAAA, OPT = 1, 5, 28, 41
KINDS = {A: "A", AAAA: "AAAA"}


def name_at(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("latin-1"))
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1


def wire_name(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"


def record(name, kind, data):
    return wire_name(name) + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


def address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


def reply(query, flags=0x8180, code=0, answers=(), question=True):
    _, end = name_at(query, 12)
    asked = query[12 : end + 4] if question else b""
    head = query[:2] + struct.pack("!HHHHH", flags | code, int(question), len(answers), 0, 0)
    return head + asked + b"".join(answers)


def known(query, extra=0):
    name, end = name_at(query, 12)
    kind = struct.unpack("!H", query[end : end + 2])[0]
    zone = GROUP.get("zone", {})
    answers = []
    while name in zone and "CNAME" in zone[name]:
        answers.append(record(name, CNAME, wire_name(zone[name]["CNAME"])))
        name = zone[name]["CNAME"]
    if name not in zone:
        return reply(query, code=3, answers=answers)
    for text in zone[name].get(KINDS.get(kind), []):
        answers.append(record(name, kind, address(text)))
    if answers:
        answers += [record(name, kind, answers[-1][-4:] if kind == A else answers[-1][-16:])] * extra
    return reply(query, answers=answers)


def kind_of(query):
    _, end = name_at(query, 12)
    return struct.unpack("!H", query[end : end + 2])[0]


def answer(mode, query, tcp):
    """The bytes of the reply; None for silence."""
    flags, additional = struct.unpack("!H", query[2:4])[0], struct.unpack("!H", query[10:12])[0]
    if mode == "good":
        return known(query)
    if mode in ("servfail", "notimp", "refused"):
        return reply(query, code={"servfail": 2, "notimp": 4, "refused": 5}[mode])
    if mode == "servfail without the question":
        return reply(query, code=2, question=False)
    if mode == "silent":
        return None
    if mode == "garbled":
        return query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0\xc0\xff\xff\xff\xff"
    if mode == "short":
        return query[:5]
    if mode == "another question":
        return reply(query[:12] + wire_name("evil.test") + query[-4:], answers=[record("evil.test", A, address("10.9.2.1"))])
    if mode == "an endless alias":
        name, _ = name_at(query, 12)
        loop = [record(name, CNAME, wire_name("b.test")), record("b.test", CNAME, wire_name(name))]
        return reply(query, answers=loop)
    if mode == "a thousand addresses":
        name, _ = name_at(query, 12)
        if kind_of(query) != A:
            return reply(query)
        return reply(query, answers=[record(name, A, bytes([10, 9, 3, n % 250])) for n in range(1000)])
    if mode == "large":
        return known(query, extra=60)
    if mode == "cut short" and not tcp:
        return bytes([*known(query)[:2], 0x83, *known(query)[3:]])
    if mode == "cut short without a record" and not tcp:
        return reply(query, flags=0x8380)
    if mode == "cut short, silent over TCP":
        return None if tcp else bytes([*known(query)[:2], 0x83, *known(query)[3:]])
    if mode == "cut short, whole over TCP":
        return known(query) if tcp else reply(query, flags=0x8380)
    if mode == "TCP alone":
        return known(query) if tcp else None
    if mode == "silent about AAAA":
        return None if kind_of(query) == AAAA else known(query)
    if mode == "silent about A":
        return None if kind_of(query) == A else known(query)
    if mode == "NXDOMAIN for AAAA":
        return reply(query, code=3) if kind_of(query) == AAAA else known(query)
    if mode == "in capitals":
        said = known(query)
        end = name_at(query, 12)[1]
        return said[:12] + said[12:end].upper() + said[end:]
    if mode == "lame":
        return reply(query, flags=0x8100)
    if mode == "FORMERR for EDNS":
        return reply(query, code=1) if additional else known(query)
    if mode == "EDNS alone":
        return known(query) if additional else reply(query, code=5)
    if mode == "AD alone":
        return known(query) if flags & 0x20 else reply(query, code=5)
    if mode == "one family at a time":
        return known(query)
    raise ValueError(mode)


def udp_socket(host):
    server = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, 53))
    return server


def over_udp(server, mode):
    while True:
        query, sender = server.recvfrom(4096)
        said = answer(mode, query, False)
        if said is not None:
            server.sendto(said, sender)


def over_tcp(server, mode):
    while True:
        stream, _ = server.accept()
        length = struct.unpack("!H", stream.recv(2, socket.MSG_WAITALL))[0]
        said = answer(mode, stream.recv(length, socket.MSG_WAITALL), True)
        if said is None:
            threading.Thread(target=stream.recv, args=(1,), daemon=True).start()
            continue
        stream.sendall(struct.pack("!H", len(said)) + said)
        stream.close()


class Well(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Four(http.server.ThreadingHTTPServer):
    request_queue_size = 128


class Six(Four):
    address_family = socket.AF_INET6


def start(work, *words):
    threading.Thread(target=work, args=words, daemon=True).start()


# They look their own names up, which no server is to reply to yet.
web = [Four(("10.9.2.1", 8080), Well)]
if GROUP.get("ipv6", True):
    web.append(Six(("fd09::1", 8080), Well))
for host, mode in GROUP["servers"].items():
    if mode == "closed":
        continue
    start(over_udp, udp_socket(host), mode)
    if "TCP" in mode:
        start(over_tcp, socket.create_server((host, 53)), mode)
for server in web:
    start(server.serve_forever)
open("ready", "w").close()
# Until whoever started it is gone.
sys.stdin.read()
