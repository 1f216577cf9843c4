#!/usr/bin/env bash
# The faults of issue 15 that concern the history and the files that the program writes.
# Usage: history.sh PATH-OF-SQUIRREL [NAME…]; prints "ok NAME" or "FAULT NAME" for each.
# Needs: python3, sqlite3. Each function works in a folder of its own and ends what it started.
set -u
SQUIRREL=$(realpath "$1"); shift
TOP=$(mktemp -d "${TMPDIR:-/tmp}/squirrel-faults.XXXXXX")
STARTED=()
trap 'for pid in "${STARTED[@]}"; do kill -9 "$pid" 2>/dev/null; done; rm -rf "$TOP"' EXIT

# A folder of its own, with a site that a server of its own answers for.
begin() {
    cd "$TOP" && mkdir -p "$1" && cd "$1" || exit 1
    export HOME=$PWD XDG_STATE_HOME=$PWD/STATE XDG_CONFIG_HOME=$PWD/CONFIG
    cat > server.py <<'P'
import http.server, os
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def do_HEAD(self):
        self.send_response(503 if os.path.exists("down") else 200); self.end_headers()
    do_GET = do_HEAD
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        open("posted", "ab").write(b"x\n")
        self.send_response(500 if os.path.exists("refuse") else 200); self.end_headers()
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
open("port.tmp", "w").write(str(s.server_port)); os.rename("port.tmp", "port")
s.serve_forever()
P
    python3 server.py & STARTED+=($!); disown
    for _ in $(seq 100); do [ -e port ] && break; sleep 0.05; done
    PORT=$(cat port)
    config ""
}
# sites.toml with more lines.
config() {
    cat > sites.toml <<T
[monitor]
interval = "1s"
confirm_delay = "1s"
recover = 1
canaries = []
[owners.ops]
webhook = "http://127.0.0.1:$PORT/hook"
$1
[[sites]]
name = "shop"
url = "http://127.0.0.1:$PORT/"
owners = ["ops"]
T
}
# Starts watch on history.db; its process is $PID.
watch() {
    "$SQUIRREL" watch --history history.db "$@" >out 2>err </dev/null & PID=$!
    STARTED+=($PID)
}
# Waits for up to $1 seconds until a command is true.
until_true() {
    local end=$((SECONDS + $1)); shift
    while ! "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $end ] && return 1
        sleep 0.1
    done
}
stop() { kill "$PID" 2>/dev/null; for _ in $(seq 100); do kill -0 "$PID" 2>/dev/null || break; sleep 0.1; done; kill -9 "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; }
# One value of the history.
ask() { sqlite3 -readonly "${FILE:-history.db}" "$1" 2>/dev/null; }
is() { [ "$(ask "$1")" = "$2" ]; }
over() { [ "$(ask "$1")" -gt "$2" ] 2>/dev/null; }
alive() { kill -0 "$PID" 2>/dev/null; }

killed_import() {
    watch; until_true 10 over "SELECT count(*) FROM marks WHERE name='rolled'" 0 || true
    until_true 10 over "SELECT count(*) FROM results" 2; stop
    # Everything is rolled up, as after some minutes.
    sqlite3 history.db "INSERT OR REPLACE INTO marks VALUES ('rolled', strftime('%s','now')/300*300)"
    python3 - <<'P'
import json, time
now = int(time.time())
with open("export", "w") as f:
    for n in range(90000):
        t = now - 30*86400 - 300*n
        f.write(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t)), "name": "old",
                "url": "http://old.invalid/", "verdict": "up", "latency_ms": 5}) + "\n")
P
    "$SQUIRREL" history import export --history history.db >/dev/null 2>&1 & local import=$!
    until_true 20 over "SELECT count(*) FROM due_rollups WHERE level = 0" 79000
    kill -9 $import 2>/dev/null; wait $import 2>/dev/null
    local rows; rows=$(ask "SELECT count(*) FROM results JOIN sites ON id = site WHERE name = 'old'")
    [ "${rows:-0}" -gt 70000 ] || { echo "SKIPPED killed_import: the import was not caught"; return; }
    watch
    until_true 150 eval '! alive || is "SELECT count(*) FROM due_rollups WHERE level = 0" 0'
    sleep 2
    alive || return 1
    stop
    local checks; checks=$("$SQUIRREL" report --history history.db --since 399d --format json | python3 -c '
import sys, json
print(sum(r["checks"] for r in map(json.loads, sys.stdin) if r["name"] == "old"))')
    [ "$checks" -ge "$rows" ]
}

# A lock of another program for six seconds, in which an outage ends.
locked() {
    touch down; watch
    # What is kept of an outage changes ever more seldom: here not until its end.
    until_true 40 over "SELECT coalesce(max(failures), 0) FROM streaks" 15 || return 1
    python3 - <<'P' &
import sqlite3, time
c = sqlite3.connect("history.db", isolation_level=None); c.execute("BEGIN IMMEDIATE")
open("held", "w"); time.sleep(9); c.execute("ROLLBACK")
P
    local holder=$!; STARTED+=($holder)
    until_true 5 test -e held
    sleep 5; rm down
    wait $holder
    until_true 8 is "SELECT count(*) FROM outages WHERE ended IS NOT NULL" 1 || { stop; return 1; }
    stop
    is "SELECT count(*) FROM outages WHERE ended IS NULL" 0
}

# The file is moved away while a monitor runs with an open outage and a message that nobody takes.
moved() {
    touch down refuse; mkdir state
    "$SQUIRREL" watch --history state/history.db >out 2>err </dev/null & PID=$!; STARTED+=($PID)
    FILE=state/history.db
    until_true 15 is "SELECT count(*) FROM outbox WHERE attempts > 0" 1 || return 1
    mv state elsewhere
    until_true 4 is "SELECT count(*) FROM outbox JOIN outages o ON o.id = outage WHERE ended IS NULL AND state = 0" 1 || { stop; return 1; }
    timeout 5 "$SQUIRREL" watch --history state/history.db >out2 2>err2 </dev/null
    local second=$?
    stop
    [ $second = 2 ] && grep -q "moved or removed" err
}

removed() {
    touch down; watch
    until_true 15 is "SELECT count(*) FROM outages WHERE ended IS NULL" 1 || return 1
    rm history.db
    until_true 4 is "SELECT count(*) FROM outages WHERE ended IS NULL" 1 || { stop; return 1; }
    rm -f down
    until_true 10 is "SELECT count(*) FROM outages WHERE ended IS NOT NULL" 1 || { stop; return 1; }
    stop
}

replaced() {
    touch down; watch
    until_true 15 is "SELECT count(*) FROM outages WHERE ended IS NULL" 1 || return 1
    : > new; mv new history.db
    until_true 4 is "SELECT count(*) FROM outages WHERE ended IS NULL" 1 || { stop; return 1; }
    stop
}

# A clock two months ahead at the start: seen from it, every row is two months old.
clock_ahead() {
    watch; until_true 10 over "SELECT count(*) FROM results" 1; stop
    sqlite3 history.db "DELETE FROM results; DELETE FROM marks; DELETE FROM rollup_5m; DELETE FROM rollup_hour; DELETE FROM rollup_day;
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)
        INSERT INTO results (at, site, reason, status, latency_us, late_ms)
            SELECT (strftime('%s','now') - 60*86400 - i*3600) * 1000000, 1, 0, 200, 5000, 0 FROM n"
    watch; until_true 10 over "SELECT count(*) FROM results WHERE at > (strftime('%s','now') - 60) * 1000000" 3
    sleep 6; stop
    over "SELECT count(*) FROM results WHERE at < (strftime('%s','now') - 86400) * 1000000" 99
}

# Whoever is not the owner reads nothing; links are not followed.
private() {
    umask 022
    "$SQUIRREL" watch >out 2>err </dev/null & PID=$!; STARTED+=($PID)
    FILE=STATE/uptime-squirrel/history.db
    until_true 10 over "SELECT count(*) FROM results" 0; local modes
    modes=$(stat -c %a STATE/uptime-squirrel STATE/uptime-squirrel/history.db STATE/uptime-squirrel/history.db.lock STATE/uptime-squirrel/squirrel.log | tr '\n' ' ')
    stop
    echo precious > other; rm -f history.db.lock; ln -s other history.db.lock
    watch; sleep 1.5; stop
    local linked; linked=$(cat other)
    rm history.db.lock; echo "of somebody else" > history.db.lock
    watch; sleep 1.5; stop
    [ "$modes" = "700 600 600 600 " ] && [ "$linked" = precious ] && [ "$(cat history.db.lock)" = "of somebody else" ]
}

# A trace export follows no link (the one of `check`; that of the key `e` is the same code).
trace_link() {
    echo precious > other; ln -s other trace.json
    "$SQUIRREL" check --trace trace.json >out 2>err </dev/null
    [ "$(cat other)" = precious ]
}

# A log of months: what a run writes is bounded while it runs. Needs a site that logs; see
# src/app/log.rs for the unit test. Here: a CSV row without end on import.
endless_row() {
    python3 -c '
print("at,name,url,verdict,reason,status,latency_ms,late_ms")
print("x" * (300 << 20))' > endless
    ( ulimit -v 400000; "$SQUIRREL" history import endless --history into.db >out 2>err )
    [ $? = 2 ] && grep -q "longer than" err
}

FAULTS=(killed_import locked moved removed replaced clock_ahead private trace_link endless_row)
for name in "${@:-${FAULTS[@]}}"; do
    begin "$name"
    if out=$($name); then echo "${out:-ok $name}"; else echo "FAULT $name"; fi; [ -n "${VERBOSE:-}" ] && tail -5 err
done
