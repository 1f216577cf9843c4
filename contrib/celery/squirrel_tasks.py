"""Checks of UptimeSquirrel on stock Python Celery workers.

    SQUIRREL_BROKER=redis://host:6379/0 celery --app squirrel_tasks worker

Each worker process keeps one child, the `squirrel` binary (SQUIRREL_BIN, else the one on the
PATH), which carries the checks out: there is only one probe, whoever runs it.
"""

import json
import os
import subprocess
import threading

from celery import Celery

BROKER = os.environ.get("SQUIRREL_BROKER", "redis://127.0.0.1:6379/0")
app = Celery("squirrel_tasks", broker=BROKER, backend=BROKER)
app.conf.update(
    task_default_queue=os.environ.get("SQUIRREL_QUEUE", "celery"),
    accept_content=["json"],
    # A check is done when its result is stored: one whose worker dies is run again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={
        "visibility_timeout": 30,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 1,
    },
)

lock = threading.Lock()
child = None


def ask(order):
    """Has the child carry one check out; it is started when there is none."""
    global child
    if child is None or child.poll() is not None:
        binary = os.environ.get("SQUIRREL_BIN", "squirrel")
        pipe = subprocess.PIPE
        child = subprocess.Popen([binary, "worker", "--lines"], stdin=pipe, stdout=pipe)
    child.stdin.write(json.dumps(order).encode() + b"\n")
    child.stdin.flush()
    line = child.stdout.readline()
    if not line:
        raise RuntimeError("the squirrel binary ended in the middle of a check")
    return json.loads(line)


@app.task(name="squirrel.check")
def check(order):
    with lock:
        answer = ask(order)
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return answer["result"]
