#!/usr/bin/env bash
# kombu 5.6.2 with redis-py 6.4.0: a URL with a parameter that redis-py itself takes from URLs
# (socket_timeout, health_check_interval) is a TypeError of kombu's Connection, not an option of
# the connection and not ignored; ssl_cert_reqs is taken. The same URL is good for redis-py and
# for Flower's or a script's own client, and fails for the Celery application beside it.
#
# Needs python3 with venv. Ends with 1 if the output is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'kombu[redis]==5.6.2' 'redis==6.4.0'
cat > finding.py <<'PY'
import redis
from kombu import Connection

for url in [
    "redis://one:6379/2?socket_timeout=5",
    "redis://one:6379/2?health_check_interval=9",
    "rediss://one:6379/2?ssl_cert_reqs=required",
]:
    parameter = url.partition("?")[2].partition("=")[0]
    taken = parameter in redis.from_url(url).connection_pool.connection_kwargs
    try:
        Connection(url)
        by_kombu = "taken"
    except TypeError as error:
        by_kombu = "TypeError"
    print(f"{parameter}: redis-py {'taken' if taken else 'ignored'}, kombu {by_kombu}")
PY
cat > expected <<'TEXT'
socket_timeout: redis-py taken, kombu TypeError
health_check_interval: redis-py taken, kombu TypeError
ssl_cert_reqs: redis-py taken, kombu taken
TEXT
python/bin/python finding.py > output
cat output
diff expected output
