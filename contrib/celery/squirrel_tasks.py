"""Checks of UptimeSquirrel on stock Python Celery workers.

    SQUIRREL_BROKER=redis://host:6379/0 celery --app squirrel_tasks worker

Each worker process keeps one child, the `squirrel` binary (SQUIRREL_BIN, else the one on the
PATH), which carries the checks out: there is one probe, in whichever worker it runs. Other settings
of the environment: SQUIRREL_QUEUE, SQUIRREL_VISIBILITY_TIMEOUT.
"""

import contextlib
import json
import os
import re
import subprocess
import threading
import time
from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu import Connection
from redis import RedisError

BROKER = os.environ.get("SQUIRREL_BROKER", "redis://127.0.0.1:6379/0")
QUEUE = os.environ.get("SQUIRREL_QUEUE", "celery")
BINARY = os.environ.get("SQUIRREL_BIN", "squirrel")
# How long a worker may be silent about a check before another takes it, in seconds.
VISIBILITY = float(os.environ.get("SQUIRREL_VISIBILITY_TIMEOUT", "30"))
REDIS = {
    "visibility_timeout": VISIBILITY,
    "unacked_restore_interval": 2 if VISIBILITY > 8 else 1,
    "unacked_restore_throttle": 1,
}


def choose_broker(url):
    """The URL for Celery, and the name of the server that Sentinels are to be asked for.

    Celery takes that name from its settings and not from the URL, and wants to be told that
    certificates are verified. It takes a list of brokers, but not of places for results, which are
    to be where the messages are: of a list this is the first that takes writes now."""
    urls = re.split(r";(?=[a-z+]+://)", url)
    names = [name for each in urls for name in parse_qs(urlsplit(each).query).get("master_name", [])]
    if names:
        return ";".join(each.partition("?")[0] for each in urls), names[0]
    for place, each in enumerate(urls):
        if each.startswith("rediss://") and "ssl_cert_reqs=" not in each:
            urls[place] = f"{each}{'&' if '?' in each else '?'}ssl_cert_reqs=required"
    return next(filter(takes_writes, urls), urls[0]) if len(urls) > 1 else urls[0], None


def takes_writes(url):
    patience = {"socket_connect_timeout": 2, "socket_timeout": 2}
    with contextlib.suppress(Exception), Connection(url, transport_options=patience) as connection:
        client = connection.default_channel.client
        return client.lpush(f"{QUEUE}.test", "test") and client.rpop(f"{QUEUE}.test") is not None
    return False


BROKER, MASTER = choose_broker(BROKER)
if MASTER:
    REDIS["master_name"] = MASTER
app = Celery("squirrel_tasks", broker=BROKER, backend=BROKER)
app.conf.update(
    task_default_queue=QUEUE,
    accept_content=["json"],
    # A check is done when its result is stored: one whose worker dies is run again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options=REDIS,
    result_backend_transport_options={"master_name": MASTER} if MASTER else {},
)
lock = threading.Lock()
child = None


@app.task(name="squirrel.check", bind=True)
def check(self, order):
    global child
    with lock:
        if child is None or child.poll() is not None:
            line = [BINARY, "worker", "--lines", "--hostname", self.request.hostname]
            child = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if order.get("traced"):
            announce_start(self.request, child.pid)
        with touched(self.request):
            child.stdin.write(json.dumps(order).encode() + b"\n")
            child.stdin.flush()
            line = child.stdout.readline()
    if not line:
        raise RuntimeError("the squirrel binary ended in the middle of a check")
    answer = json.loads(line)
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return answer["result"]


@contextlib.contextmanager
def touched(request):
    """Keeps other workers from taking a check that lasts longer than their visibility timeout, or
    this worker's: kombu notes once, when a message is fetched, that somebody has it."""
    done = threading.Event()
    tag = (request.properties or {}).get("delivery_tag")

    def touch():
        while not done.wait(min(2, VISIBILITY / 3)):
            with contextlib.suppress(RedisError):  # the next time, then
                seconds, micros = app.backend.client.time()
                now = f"{seconds}.{micros:06}"
                app.backend.client.zadd("unacked_index", {tag: now}, xx=True)

    thread = threading.Thread(target=touch, daemon=True)
    if tag:
        thread.start()
    try:
        yield
    finally:
        done.set()


def announce_start(request, pid):
    """Tells a monitor whose Scheduling screen is open which process has begun the check."""
    begun = {"pid": pid, "hostname": request.hostname, "thread": "celery-probe"}
    told = {"status": "STARTED", "result": begun | {"began": time.time()}}
    app.backend.client.publish(app.backend.get_key_for_task(request.id), json.dumps(told))
