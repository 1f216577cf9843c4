#!/usr/bin/env bash
# kombu 5.6.2 (Celery's transport): in a list of brokers, "a;b", what the second address does not
# say is taken from the first when kombu fails over to it, but for user and password. A second
# Redis without a database is used with the database of the first, not with 0; a second address
# without a scheme becomes a host of that name, colon and port included, at the port of the first.
# Who reads such a list as addresses that each stand alone talks to another queue after a failover
# than Celery's own workers.
#
# Needs python3 with venv. Ends with 1 if the output is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'kombu[redis]==5.6.2'
cat > finding.py <<'PY'
from kombu import Connection

for brokers in ["redis://:pw@one:6379/2;redis://two:6380", "redis://one:6379/2;two:6380"]:
    connection = Connection(brokers)
    connection.maybe_switch_next()
    print(connection.hostname, connection.port, connection.password, connection.virtual_host)
PY
cat > expected <<'TEXT'
two 6380 None 2
two:6380 6379 None 2
TEXT
python/bin/python finding.py > output
cat output
diff expected output
