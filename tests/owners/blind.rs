//! A network of its own that is really cut: no outage, one message, and a real outage after it.

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{history, is};
use crate::support::{Running, Squirrel};

/// A network of its own: five addresses of this machine that are none of the loopback device.
const NETWORK: &str = r#"
ip link set lo up &&
ip link add cable type veth peer name other &&
ip link set cable up && ip link set other up &&
for host in 2 11 12 13 14; do ip addr add 10.9.0.$host/24 dev cable || exit 90; done
python3 server.py &
exec "$@"
"#;

/// Answers on all of them, and changes the network as the file "orders" says, line by line.
const SERVER: &str = r#"
import http.server, os, subprocess, threading, time

class Well(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Well)
threading.Thread(target=server.serve_forever, daemon=True).start()
parent, done = os.getppid(), 0
while os.getppid() == parent:
    orders = open("orders").read().split("\n")[:-1] if os.path.exists("orders") else []
    for order in orders[done:]:
        subprocess.run(["ip", *order.split()], check=True)
        done += 1
    time.sleep(0.02)
"#;

const SITES: &str = r#"
[monitor]
interval = "1s"
timeout = "2s"
confirm_delay = "1s"
canaries = ["http://10.9.0.2:8080/"]
[owners.ops]
webhook = "http://10.9.0.3:8080/"
"#;

/// The sites are on these hosts of it.
pub(super) const HOSTS: [u8; 4] = [11, 12, 13, 14];

/// A home whose programs run in a network of their own.
pub(super) fn in_a_network() -> Squirrel {
    let squirrel = Squirrel::new().through([
        "unshare",
        "--user",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        NETWORK,
        "sh",
    ]);
    squirrel.write("server.py", SERVER);
    squirrel
}

/// The sites.toml of the sites of such a network.
pub(super) fn sites() -> String {
    let sites = HOSTS.map(|host| {
        format!("[[sites]]\nname = \"s{host}\"\nurl = \"http://10.9.0.{host}:8080/\"\nowners = [\"ops\"]\n")
    });
    format!("{SITES}{}", sites.concat())
}

pub(super) fn order(squirrel: &Squirrel, orders: &mut String, order: &str) {
    orders.push_str(order);
    orders.push('\n');
    squirrel.write("orders", &**orders);
}

/// Waits for so many lines that fit, since the start.
pub(super) fn wait_for_many(running: &mut Running, number: usize, fits: impl Fn(&Value) -> bool) {
    let count = |lines: &[Value]| lines.iter().filter(|line| fits(line)).count();
    while count(&running.lines_so_far()) < number {
        assert!(running.wait_for_line(), "it ended");
    }
}

#[test]
fn a_cut_of_the_network_is_no_outage_and_a_real_one_is_told() {
    let squirrel = in_a_network();
    squirrel.write("sites.toml", sites());
    let hosts = HOSTS;
    let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
    let up = |line: &Value| line["verdict"] == "up";
    let needs =
        "a good check (this test needs unshare, ip of iproute2, python3 and user namespaces)";
    running.wait_for(needs, up);
    wait_for_many(&mut running, hosts.len(), up);
    let mut orders = String::new();
    order(&squirrel, &mut orders, "addr flush dev cable");
    // While the servers start nobody can be reached either: that is another blindness.
    let cut = |line: &Value| {
        let why = line["error"].as_str().unwrap_or_default();
        is("blind")(line) && why.contains("canary does not answer either (unreachable)")
    };
    let blind = running.wait_for("blindness", cut);
    // Longer than it takes to confirm an outage.
    wait_for_many(&mut running, 7 * hosts.len(), |line| {
        line["verdict"] == "unknown" && line["reason"] == "internal"
    });
    for host in [2, 11, 12, 13, 14] {
        order(
            &squirrel,
            &mut orders,
            &format!("addr add 10.9.0.{host}/24 dev cable"),
        );
    }
    let sighted = running.wait_for("sight", |line| {
        is("sighted")(line) && line["since"] == blind["since"]
    });
    assert!(sighted["duration_s"].as_f64().unwrap() > 1.0);
    let seen = running
        .lines_so_far()
        .iter()
        .filter(|line| up(line))
        .count();
    wait_for_many(&mut running, seen + hosts.len(), up);
    order(&squirrel, &mut orders, "addr del 10.9.0.11/24 dev cable");
    let down = running.wait_for("the real outage", is("down"));
    assert_eq!(down["site"], "s11");
    assert!(down["since"].as_str() > sighted["at"].as_str(), "{down}");
    running.signal(Signal::TERM);
    let finished = running.finish();
    let outages = finished
        .objects()
        .iter()
        .filter(|line| is("down")(line))
        .count();
    assert_eq!(outages, 1);
    let messages: Vec<String> = history(&squirrel)
        .prepare(
            "SELECT subject FROM outbox WHERE subject NOT LIKE '%cannot reach%' ORDER BY number",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].starts_with("squirrel was blind for "),
        "{messages:?}"
    );
    assert!(messages[1].starts_with("DOWN: s11"), "{messages:?}");
}
