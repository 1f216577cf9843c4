#!/usr/bin/env bash
# The faults of telling that are seen on the binary: who is told, when, and in what order.
# Usage: telling.sh PATH-OF-SQUIRREL [NAME…]; prints "ok NAME" or "FAULT NAME" for each.
# Needs: python3, and for two of them unshare, ip and redis-server.
set -u
SQUIRREL=$(realpath "$1"); shift
ONLY="$*"
TOP=$(mktemp -d "${TMPDIR:-/tmp}/squirrel-faults.XXXXXX")
STARTED=()
trap 'for pid in "${STARTED[@]}"; do kill -9 "$pid" 2>/dev/null; done; rm -rf "$TOP"' EXIT

cat > "$TOP/server.py" <<'P'
# Answers /NAME with 503 while a file "down-NAME" exists; keeps what is posted, but refuses it
# while "refuse" exists. Arguments: addresses to listen on.
import http.server, json, os, sys, threading
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def do_HEAD(self):
        name = self.path.strip("/") or "%s" % self.server.server_address[0]
        self.send_response(503 if os.path.exists("down-" + name) else 200); self.end_headers()
    do_GET = do_HEAD
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refused = os.path.exists("refuse")
        if not refused:
            facts = json.loads(body)
            with open("told" + self.path.replace("/", "-"), "a") as told:
                print(facts.get("event"), facts.get("site") or facts.get("count"), facts.get("subject"), file=told)
        self.send_response(500 if refused else 200); self.end_headers()
    def log_message(self, *a): pass
servers = [http.server.ThreadingHTTPServer((a, int(p)), H) for a, p in (x.split(":") for x in sys.argv[1:])]
for server in servers: threading.Thread(target=server.serve_forever, daemon=True).start()
open("port.tmp", "w").write(str(servers[0].server_port)); os.rename("port.tmp", "port")
threading.Event().wait()
P

begin() {
    mkdir -p "$TOP/$1" && cd "$TOP/$1" || exit 1
    export HOME=$PWD XDG_STATE_HOME=$PWD/state XDG_CONFIG_HOME=$PWD/config
    python3 "$TOP/server.py" 127.0.0.1:0 & STARTED+=($!); disown
    for _ in $(seq 100); do [ -e port ] && break; sleep 0.05; done
    PORT=$(cat port)
}
# config MONITOR-LINES OWNERS SITE-TABLES
config() {
    printf '[monitor]\ninterval = "1s"\nconfirm_delay = "1s"\ncanaries = []\n%b\n[notify]\ndigest = "0s"\n%b\n%b\n' "$1" "$2" "$3" > sites.toml
}
site() { printf '[[sites]]\\nname = "%s"\\nurl = "http://127.0.0.1:%s/%s"\\nowners = ["ops"]\\n%s\\n' "$1" "$PORT" "$1" "${2:-}"; }
owner() { printf '[owners.%s]\\nwebhook = "http://127.0.0.1:%s/%s"\\n%s\\n' "$1" "$PORT" "$1" "${2:-}"; }
watch() { "$SQUIRREL" watch --history history.db --results >>out 2>>err </dev/null & PID=$!; STARTED+=($PID); disown; }
stop() { kill "$PID" 2>/dev/null; for _ in $(seq 100); do kill -0 "$PID" 2>/dev/null || return 0; sleep 0.1; done; kill -9 "$PID"; }
until_true() { local end=$((SECONDS + $1)); shift; while ! "$@" >/dev/null 2>&1; do [ $SECONDS -ge $end ] && return 1; sleep 0.1; done; }
checked() { [ "$(grep -c '"verdict":"up"' out 2>/dev/null)" -ge "$1" ]; }
told() { grep -q "$2" "told-$1" 2>/dev/null; }

# A parent that is down is paused: an outage of its child is told all the same.
paused_parent() {
    config "confirm = 1" "$(owner ops)" "$(site gateway)$(site shop 'parent = "gateway"')"
    watch; until_true 20 checked 2; touch down-gateway
    until_true 15 told ops "down gateway" || return 1
    config "confirm = 1" "$(owner ops)" "$(site gateway 'paused = true')$(site shop 'parent = "gateway"')"
    until_true 15 grep -q '"event":"reload' out || return 1
    touch down-shop
    until_true 15 told ops "down shop"
}

# Two failures with a stop between them are no streak of two.
streak_over_a_stop() {
    config 'confirm = 2' "$(owner ops)" "$(site shop)"
    sed -i 's/confirm_delay = "1s"/confirm_delay = "20s"/; s/interval = "1s"/interval = "2s"\ntimeout = "1s"/' sites.toml
    watch; until_true 20 checked 1; touch down-shop
    until_true 20 grep -q '"verdict":"down"' out; kill -9 "$PID"; rm down-shop; sleep 12
    touch down-shop; : > out; watch
    until_true 20 grep -q '"verdict":"down"' out; rm down-shop
    sleep 2; stop
    ! told ops "down shop"
}

# The channel refused the DOWN once, and takes the UP: the DOWN does not follow it.
overtaken_by_the_recovery() {
    config 'confirm = 1\nrecover = 1' "$(owner ops)" "$(site shop)"
    watch; until_true 20 checked 1; touch refuse down-shop
    until_true 20 grep -q '"event":"notify_failed\|"event":"retry\|refused\|500' out; sleep 1; rm refuse down-shop
    until_true 20 grep -q '"event":"recovered"' out
    until_true 60 told ops "shop" || return 1
    sleep 45; stop
    # The last thing that the owner reads is that it is up.
    tail -n 1 told-ops | grep -q recovered
}

# Whoever sleeps by configuration does not fail to acknowledge: the next one is told at once.
quiet_owner_escalates() {
    config 'confirm = 1' "$(owner ops 'quiet = "00:00-23:59"\nescalate = "boss"')$(owner boss)" "$(site shop)"
    watch; until_true 20 checked 1; touch down-shop
    until_true 15 told boss shop
}

# 14 outages of an owner are reminded of as 14, and as a reminder.
reminder_counts_sites() {
    local sites=""; for n in $(seq 14); do sites+=$(site "s$n"); done
    config 'confirm = 1' "$(owner ops)" "$sites"
    sed -i 's/digest = "0s"/digest = "2s"\nremind = "10s"/' sites.toml
    watch; until_true 30 checked 14; for n in $(seq 14); do touch "down-s$n"; done
    until_true 40 grep -qi 'reminder.*still down' told-ops
}

# No canary can be reached from here, and ten sites can: one of them goes down.
network_without_internet() {
    unshare --user --map-root-user --net true 2>/dev/null || { echo "SKIPPED network_without_internet: no namespaces"; return 2; }
    local addresses="" sites=""
    for n in $(seq 11 20); do
        addresses+=" 10.9.0.$n:8080"
        sites+="[[sites]]\nname = \"s$n\"\nurl = \"http://10.9.0.$n:8080/\"\nowners = [\"ops\"]\n"
    done
    printf '[monitor]\ninterval = "1s"\ntimeout = "2s"\nconfirm_delay = "1s"\ncanaries = ["http://192.0.2.1/"]\n[notify]\ndigest = "0s"\n[owners.ops]\nwebhook = "http://10.9.0.11:8080/ops"\n%b' "$sites" > sites.toml
    cat > inside <<I
ip link set lo up; ip link add cable type veth peer name end; ip link set end up; ip link set cable up
for n in \$(seq 11 20); do ip addr add 10.9.0.\$n/24 dev cable; done
python3 "$TOP/server.py" $addresses & server=\$!
for _ in \$(seq 100); do curl -sI http://10.9.0.11:8080/ >/dev/null && break; sleep 0.1; done
"$SQUIRREL" watch --history history.db --results >out 2>err & watch=\$!
for _ in \$(seq 150); do [ "\$(grep -c '"verdict":"up"' out)" -ge 20 ] && break; sleep 0.1; done
sleep 8; ip addr del 10.9.0.20/24 dev cable
for _ in \$(seq 250); do grep -q 'down s20' told-ops 2>/dev/null && break; sleep 0.1; done
kill \$watch \$server
I
    timeout 90 unshare --user --map-root-user --net sh inside >/dev/null 2>&1
    told ops "down s20"
}

# The network of the only worker, which is on another machine, is cut: nothing is down.
cut_worker() {
    unshare --user --map-root-user --net true 2>/dev/null || { echo "SKIPPED cut_worker: no namespaces"; return 2; }
    local broker="redis+socket://$PWD/r.sock" sites=""
    redis-server --port 0 --unixsocket "$PWD/r.sock" --save "" >/dev/null 2>&1 & STARTED+=($!); disown
    for n in 11 12; do sites+="[[sites]]\nname = \"s$n\"\nurl = \"http://10.9.0.$n:8080/\"\nowners = [\"ops\"]\n"; done
    config 'canaries = ["http://10.9.0.2:8080/"]' "$(owner ops)" "$sites"
    sed -i '/^canaries = \[\]$/d' sites.toml
    cat > inside <<I
ip link set lo up; ip link add cable type veth peer name end; ip link set end up; ip link set cable up
for n in 2 11 12; do ip addr add 10.9.0.\$n/24 dev cable; done
python3 "$TOP/server.py" 10.9.0.2:8080 10.9.0.11:8080 10.9.0.12:8080 & server=\$!
"$SQUIRREL" worker --broker "$broker" --hostname worker@elsewhere >/dev/null 2>&1 & worker=\$!
for _ in \$(seq 300); do [ -e cut ] && break; sleep 0.1; done
ip addr flush dev cable
for _ in \$(seq 300); do [ -e over ] && break; sleep 0.1; done
kill \$worker \$server
I
    timeout 90 unshare --user --map-root-user --net sh inside >/dev/null 2>&1 & local inside=$!
    "$SQUIRREL" watch --history history.db --results --paradigm celery --broker "$broker" >out 2>err </dev/null & PID=$!; STARTED+=($PID); disown
    until_true 20 checked 6 || { touch cut over; return 1; }
    touch cut
    until_true 15 told ops "down s1"; local was_told=$?
    touch over; wait $inside
    [ $was_told = 1 ] && grep -q '"host":"elsewhere"' out
}

for name in paused_parent streak_over_a_stop overtaken_by_the_recovery quiet_owner_escalates reminder_counts_sites network_without_internet cut_worker; do
    [ -z "$ONLY" ] || [[ " $ONLY " == *" $name "* ]] || continue
    begin "$name"
    if "$name"; then echo "ok $name"; else echo "FAULT $name"; fi
    stop 2>/dev/null
done
