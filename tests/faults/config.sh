#!/usr/bin/env bash
# Faults of the configuration: `config.sh SQUIRREL` prints `ok NAME` or `FAULT NAME` for each.
# Temporary folders, loopback only, every command bounded in time.
squirrel=$(readlink -f "${1:?the path of a squirrel binary}")
home=$(mktemp -d)
pids=()
end() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$home"
}
trap end EXIT
export HOME=$home XDG_STATE_HOME=$home/state XDG_CONFIG_HOME=$home/config
unset NO_SUCH_TOKEN

SITE='[[sites]]
name = "Example"
url = "http://127.0.0.1:9/"
tags = ["shop"]
'
OWNER='[owners.ops]
push = "ops"
'

folder() { # a folder of its own
    cd "$(mktemp -d -p "$home")" || exit 1
    mkfifo pipe
}

verdict() { # NAME STATUS
    if [ "$2" = 0 ]; then echo "ok $1"; else echo "FAULT $1"; fi
}

# Fails unless `config check` and `watch` refuse ./sites.toml with status 2 and this line, at once.
refused() { # LINE
    local said status
    for command in "config check" "watch --history none"; do
        # shellcheck disable=SC2086
        said=$(timeout 5 "$squirrel" $command --config sites.toml 2>&1 >/dev/null </dev/null)
        status=$?
        [ $status = 2 ] && grep -qF -- "$1" <<<"$said" || return 1
    done
}

mistake() { # NAME LINE, text on standard input
    folder
    cat >sites.toml
    refused "$2"
    verdict "$1" $?
}

window_of_a_site_that_does_not_exist() {
    mistake "$FUNCNAME" 'sites.toml:2:10: maintenance[0].sites[0]: there is no site "Exmple"; did you mean "Example"?' <<<"[[maintenance]]
sites = [\"Exmple\"]
cron = \"0 3 * * sun\"
lasts = \"2h\"
$SITE"
}
window_of_a_tag_that_no_site_has() {
    mistake "$FUNCNAME" 'sites.toml:2:9: maintenance[0].tags[0]: no site has the tag "shpo"; did you mean "shop"?' <<<"[[maintenance]]
tags = [\"shpo\"]
cron = \"0 3 * * sun\"
lasts = \"2h\"
$SITE"
}
window_that_never_opens() {
    mistake "$FUNCNAME" 'sites.toml:3:8: maintenance[0].cron: expected a day of the month' <<<"[[maintenance]]
tags = [\"shop\"]
cron = \"0 3 30 2 *\"
lasts = \"2h\"
$SITE"
}
window_that_lasts_for_years() {
    mistake "$FUNCNAME" 'sites.toml:4:9: maintenance[0].lasts: expected 1m to 366d, got "3650d"' <<<"[[maintenance]]
tags = [\"shop\"]
cron = \"0 3 1 1 *\"
lasts = \"3650d\"
$SITE"
}
escalate_to_oneself() {
    mistake "$FUNCNAME" 'sites.toml:3:12: owners.ops.escalate: expected the name of another owner, got "ops"' <<<"${OWNER}escalate = \"ops\"
$SITE"
}
address_without_its_channel() {
    mistake "$FUNCNAME" 'sites.toml:3:9: owners.ops.email: no message gets there: there is no table [notify.email]' <<<"${OWNER}email = \"ops@example.org\"
$SITE"
}
owner_whom_nothing_reaches() {
    mistake "$FUNCNAME" 'sites.toml:1:1: owners.ops: no message reaches this owner' <<<"[owners.ops]
$SITE"
}
secret_in_an_unset_variable() {
    mistake "$FUNCNAME" 'sites.toml:4:17: notify.push.token.env: the environment variable NO_SUCH_TOKEN is not set' <<<"${OWNER}[notify.push]
token = { env = \"NO_SUCH_TOKEN\" }
$SITE"
}
secret_in_a_file_that_is_missing() {
    mistake "$FUNCNAME" 'sites.toml:4:18: notify.push.token.file: the file cannot be read: there is no such file' <<<"${OWNER}[notify.push]
token = { file = \"none\" }
$SITE"
}
secret_in_a_pipe() {
    mistake "$FUNCNAME" 'sites.toml:4:18: notify.push.token.file: the file cannot be read: it is not a regular file' <<<"${OWNER}[notify.push]
token = { file = \"pipe\" }
$SITE"
}
secret_without_end() {
    mistake "$FUNCNAME" 'sites.toml:4:18: notify.push.token.file: the file cannot be read: it is not a regular file' <<<"${OWNER}[notify.push]
token = { file = \"/dev/zero\" }
$SITE"
}
certificates_in_a_pipe() {
    mistake "$FUNCNAME" 'sites.toml:2:11: monitor.ca_file: the file "pipe" cannot be read: it is not a regular file' <<<"[monitor]
ca_file = \"pipe\"
$SITE"
}
file_of_no_certificate() {
    mistake "$FUNCNAME" 'sites.toml:2:11: monitor.ca_file: the file "sites.toml" holds no certificate in PEM' <<<"[monitor]
ca_file = \"sites.toml\"
$SITE"
}
list_that_never_answers() { # a regular file whose reading blocks
    [ -r /proc/kmsg ] || { echo "ok $FUNCNAME (not readable here)"; return; }
    mistake "$FUNCNAME" '/proc/kmsg: cannot be read' <<<"[monitor]
include = [\"/proc/kmsg\"]
$SITE"
}
owners_of_the_monitor() {
    folder
    cat >sites.toml <<<"[monitor]
owners = [\"ops\"]
slow_after = \"10m\"
$OWNER
tell = [\"down\", \"slow\"]
$SITE"
    timeout 5 "$squirrel" config check --config sites.toml >/dev/null 2>&1
    verdict "$FUNCNAME" $?
}

four_thousand_lists_at_rest() {
    folder
    mkdir lists
    for number in $(seq 4000); do echo "http://127.0.0.1:9/$number" >"lists/$number.txt"; done
    printf '[monitor]\ncanaries = []\ninterval = "30d"\nconfirm = 1\ninclude = ["lists/*.txt"]\n' >sites.toml
    "$squirrel" watch --history none --config sites.toml >/dev/null 2>&1 &
    local pid=$! before after
    pids+=("$pid")
    sleep 8
    spent() { # of the thread that watches the files, in hundredths of a second
        local task
        for task in /proc/"$pid"/task/*; do
            [ "$(cat "$task/comm")" = config ] && awk '{ print $14 + $15 }' "$task/stat"
        done
    }
    before=$(spent)
    sleep 10
    after=$(spent)
    kill "$pid"
    # 1% of a core.
    [ $((after - before)) -le 10 ]
    verdict "$FUNCNAME" $?
}

certificates_that_change() {
    command -v openssl >/dev/null && command -v python3 >/dev/null || { echo "ok $FUNCNAME (no openssl or python3)"; return; }
    folder
    local signal=$1 name=$FUNCNAME${1:+_at_a_signal} kind
    for kind in old new; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
            -subj "/CN=$kind" -keyout $kind.key -out $kind.pem 2>/dev/null
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=site -keyout site.key -out site.csr 2>/dev/null
    openssl x509 -req -in site.csr -CA new.pem -CAkey new.key -CAcreateserial -days 30 \
        -extfile <(echo "subjectAltName = IP:127.0.0.1") -out site.pem 2>/dev/null
    python3 - >port 2>/dev/null <<'PYTHON' &
import http.server, ssl
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("site.pem", "site.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
PYTHON
    pids+=($!)
    for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
    cp old.pem trusted.pem
    printf '[monitor]\ncanaries = []\ninterval = "1s"\nconfirm = 1\nrecover = 1\nca_file = "trusted.pem"\n[[sites]]\nurl = "https://127.0.0.1:%s/"\n' "$(<port)" >sites.toml
    "$squirrel" watch --history none --config sites.toml >lines 2>/dev/null &
    local pid=$!
    pids+=("$pid")
    for _ in $(seq 100); do grep -q '"down"' lines && break; sleep 0.1; done
    cp new.pem other.pem && mv other.pem trusted.pem
    [ -n "$signal" ] && kill -HUP "$pid"
    for _ in $(seq 100); do grep -q '"recovered"' lines && break; sleep 0.1; done
    kill "$pid"
    grep -q '"down"' lines && grep -q '"recovered"' lines
    verdict "$name" $?
}

window_of_a_year_costs_a_moment() { # 527,040 minutes were gone through, one by one
    folder
    {
        printf '[monitor]\ncanaries = []\ninterval = "1s"\nconfirm = 1\n'
        for number in $(seq 200); do
            printf '[[sites]]\nname = "s%s"\nurl = "http://127.0.0.1:9/%s"\nmaintenance = [{ cron = "0 0 31 12 *", lasts = "1h" }, { cron = "%s 0 29 2 *", lasts = "366d" }]\n' "$number" "$number" $((number % 60))
        done
    } >sites.toml
    "$squirrel" watch --history none --config sites.toml >lines 2>/dev/null &
    local pid=$! began=$SECONDS count=0
    pids+=("$pid")
    while [ $((SECONDS - began)) -lt 20 ]; do
        count=$(grep -c '"down"' lines)
        [ "$count" -ge 200 ] && break
        sleep 0.2
    done
    local spent
    spent=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    kill "$pid"
    [ "$count" -ge 200 ] && [ "$spent" -lt 400 ]
    verdict "$FUNCNAME" $?
}

window_of_a_site_that_does_not_exist
window_of_a_tag_that_no_site_has
window_that_never_opens
window_that_lasts_for_years
escalate_to_oneself
address_without_its_channel
owner_whom_nothing_reaches
secret_in_an_unset_variable
secret_in_a_file_that_is_missing
secret_in_a_pipe
secret_without_end
certificates_in_a_pipe
file_of_no_certificate
list_that_never_answers
owners_of_the_monitor
four_thousand_lists_at_rest
certificates_that_change
certificates_that_change HUP
window_of_a_year_costs_a_moment
