#!/bin/bash
# The faults of issue 15 about silence of program, driver and metrics, on a binary.
# usage: watch.sh PATH_OF_SQUIRREL [NAME…]
set -u
SQ=$(readlink -f "$1"); shift
ONLY="$*"
ROOT=$(mktemp -d /tmp/faults-watch.XXXXXX)
PIDS=()
finish() { for p in "${PIDS[@]:-}"; do [ -n "$p" ] && kill -9 "$p" 2>/dev/null && wait "$p" 2>/dev/null; done; rm -rf "$ROOT"; }
trap finish EXIT
ok() { echo "ok $1"; }
fault() { echo "FAULT $1${2:+: $2}"; }

# A server: python, prints its port; behaves as "mode" says (file), logs POST bodies to "posted", hits to "hits".
cat > "$ROOT/server.py" <<'PY'
import http.server, sys, os, threading, time
folder = sys.argv[1]
def mode():
    try: return open(folder + "/mode").read().strip()
    except FileNotFoundError: return "200"
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    def do_GET(self):
        open(folder + "/hits", "a").write(".")
        m = mode()
        self.send_response(int(m) if m.isdigit() else 200); self.end_headers()
    do_HEAD = do_GET
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        open(folder + "/posted", "ab").write(body + b"\n")
        if self.path.startswith("/endless"):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            try:
                while True:
                    self.wfile.write(b"x"); self.wfile.flush(); time.sleep(0.2)
            except OSError: return
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H)
s.request_queue_size = 512
open(folder + "/port.new", "w").write(str(s.server_address[1])); os.rename(folder + "/port.new", folder + "/port")
s.serve_forever()
PY
# new NAME: a folder with a server; sets D and PORT
new() {
  D="$ROOT/$1"; mkdir -p "$D"; python3 "$ROOT/server.py" "$D" & PIDS+=($!)
  for _ in $(seq 200); do [ -s "$D/port" ] && break; sleep 0.05; done
  PORT=$(cat "$D/port"); cd "$D" || exit 1
  export HOME="$D" XDG_STATE_HOME="$D/state" XDG_CONFIG_HOME="$D/config" XDG_RUNTIME_DIR="$D/run"
}
sites() { # sites COUNT [OWNER LINE]
  { printf '[monitor]\ninterval = "1s"\nconfirm = 1\nrecover = 1\nconfirm_delay = "1s"\n[owners.ops]\n%s\n[notify]\ndigest = "0s"\n' "${2:-webhook = \"http://127.0.0.1:$PORT/hook\"}"
    for i in $(seq "$1"); do printf '[[sites]]\nname = "s%s"\nurl = "http://127.0.0.1:%s/%s"\nowners = ["ops"]\n' "$i" "$PORT" "$i"; done; } > sites.toml
}
hits() { stat -c %s "$D/hits" 2>/dev/null || echo 0; }
# wait_for SECONDS COMMAND…
wait_for() { local n=$(( $1 * 10 )); shift; for _ in $(seq $n); do "$@" && return 0; sleep 0.1; done; return 1; }
more_hits() { [ "$(hits)" -gt "$1" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

stalled_reader() {
  new stalled_reader; sites 60; mkfifo pipe; exec 9<>pipe
  "$SQ" watch --history none --results >pipe 2>err 9<&- & local p=$!; PIDS+=($p)
  wait_for 10 more_hits 0
  if ! wait_for 15 more_hits 600; then fault stalled_reader_checks "only $(hits) requests"; else ok stalled_reader_checks; fi
  kill -TERM $p; if wait_for 6 gone $p; then ok stalled_reader_sigterm; else fault stalled_reader_sigterm; kill -9 $p; fi
  exec 9>&-
}
reader_gone() {
  new reader_gone; sites 1
  timeout 30 bash -c '"$1" watch --history none --results 2>err | head -n 2 >/dev/null; exit ${PIPESTATUS[0]}' _ "$SQ"; local code=$?
  case $code in 0|2|124) fault reader_gone_status "status $code";; *) ok reader_gone_status;; esac
}

endless_body() {
  new endless_body; sites 1 "webhook = \"http://127.0.0.1:$PORT/endless\""; echo 503 > mode
  "$SQ" watch --history history.db >out 2>err & local p=$!; PIDS+=($p)
  wait_for 45 grep -qE '"event":"(notified|notify_failed)"' out
  if grep -q '"event":"notified"' out; then ok endless_body; else fault endless_body "$(grep -o '"error":"[^"]*","event":"notify_failed"' out | head -1)"; fi
  kill -9 $p
}
plain_errors() {
  new plain_errors; sites 1 "webhook = \"http://127.0.0.1:1/\""
  local said; said=$("$SQ" notify test ops 2>&1)
  case $said in *"os error"*|*"client error"*) fault plain_errors "$said";; *) ok plain_errors;; esac
}

digest_restart() {
  new digest_restart; sites 1 "webhook = \"http://127.0.0.1:$PORT/\""; sed -i 's/digest = "0s"/digest = "100s"/' sites.toml; echo 503 > mode
  "$SQ" watch --history history.db >out 2>err & local p=$!; PIDS+=($p)
  wait_for 10 grep -q '"event":"down"' out; kill -TERM $p; wait_for 5 gone $p
  "$SQ" watch --history history.db >out2 2>err & p=$!; PIDS+=($p)
  if wait_for 4 grep -q '"event":"notified"' out2; then fault digest_restart "told at once"
  elif wait_for 15 grep -q '"event":"notified"' out2; then ok digest_restart; else fault digest_restart "never told"; fi
  kill -9 $p
}

run() { if [ -z "$ONLY" ] || [[ " $ONLY " == *" $1 "* ]]; then "$1"; fi; }
run stalled_reader
run reader_gone
run endless_body
run plain_errors
run digest_restart
