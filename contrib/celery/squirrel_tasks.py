"""Checks of UptimeSquirrel on stock Python Celery workers.

    SQUIRREL_BROKER=redis://host:6379/0 celery --app squirrel_tasks worker

Each worker process keeps one child, the `squirrel` binary (SQUIRREL_BIN, else the one on the
PATH), which carries the checks out: there is one probe, in whichever worker it runs.
"""

import json
import os
import subprocess
import threading
import time

from celery import Celery

BROKER = os.environ.get("SQUIRREL_BROKER", "redis://127.0.0.1:6379/0")
BINARY = os.environ.get("SQUIRREL_BIN", "squirrel")
REDIS = {"visibility_timeout": 30, "unacked_restore_interval": 2, "unacked_restore_throttle": 1}
app = Celery("squirrel_tasks", broker=BROKER, backend=BROKER)
app.conf.update(
    task_default_queue=os.environ.get("SQUIRREL_QUEUE", "celery"),
    accept_content=["json"],
    # A check is done when its result is stored: one whose worker dies is run again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_transport_options=REDIS,
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
        child.stdin.write(json.dumps(order).encode() + b"\n")
        child.stdin.flush()
        line = child.stdout.readline()
    if not line:
        raise RuntimeError("the squirrel binary ended in the middle of a check")
    answer = json.loads(line)
    if "refused" in answer:
        raise ValueError(answer["refused"])
    return answer["result"]


def announce_start(request, pid):
    """Tells a monitor whose Scheduling screen is open which process has begun the check."""
    begun = {"pid": pid, "hostname": request.hostname, "thread": "celery-probe"}
    told = {"status": "STARTED", "result": begun | {"began": time.time()}}
    app.backend.client.publish(app.backend.get_key_for_task(request.id), json.dumps(told))
