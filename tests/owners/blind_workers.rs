//! Celery workers in networks of their own that are really cut: they ask canaries themselves, and
//! make nothing down.

use rustix::process::Signal;
use serde_json::Value;

use super::blind::{HOSTS, in_a_network, order, sites, wait_for_many};
use super::sites::{history, is};
use crate::support::{Redis, Running, Squirrel};

/// A worker on a machine of that name, with a network of its own.
struct Worker {
    home: Squirrel,
    _running: Running,
    orders: String,
}

impl Worker {
    fn start(redis: &Redis, name: &str) -> Self {
        let home = in_a_network();
        let broker = redis.url();
        let node = format!("worker@{name}");
        let args = ["worker", "--broker", broker.expose(), "--hostname", &node];
        let running = home.start(args);
        Self {
            home,
            _running: running,
            orders: String::new(),
        }
    }

    fn order(&mut self, text: &str) {
        order(&self.home, &mut self.orders, text);
    }

    fn cut(&mut self) {
        self.order("addr flush dev cable");
    }

    fn mend(&mut self) {
        // The system deletes all of a network with the address that came first.
        for host in [2].into_iter().chain(HOSTS) {
            self.order(&format!("addr add 10.9.0.{host}/24 dev cable"));
        }
    }
}

/// A monitor that reaches none of these networks itself.
fn monitor(redis: &Redis) -> (Squirrel, Running) {
    let alone = ["unshare", "--user", "--map-root-user", "--net"];
    let squirrel = Squirrel::new().through(alone);
    squirrel.write("sites.toml", sites());
    let broker = redis.url();
    let running = squirrel.start([
        "watch",
        "--history",
        "history.db",
        "--results",
        "--paradigm",
        "celery",
        "--broker",
        broker.expose(),
    ]);
    (squirrel, running)
}

/// A check that a worker on this machine came to.
fn by(host: &str, verdict: &str) -> impl Fn(&Value) -> bool {
    move |line| line["host"] == host && line["verdict"] == verdict
}

fn events(running: &Running, event: &str) -> usize {
    let lines = running.lines_so_far();
    lines.iter().filter(|line| is(event)(line)).count()
}

#[test]
fn a_worker_whose_network_is_cut_makes_nothing_down_and_the_monitor_is_blind() {
    let redis = Redis::new();
    let mut oslo = Worker::start(&redis, "oslo");
    let (squirrel, mut running) = monitor(&redis);
    let needs = "a good check (this test needs unshare, ip of iproute2 and python3)";
    running.wait_for(needs, by("oslo", "up"));
    wait_for_many(&mut running, HOSTS.len(), by("oslo", "up"));
    oslo.cut();
    let blind = running.wait_for("blindness", is("blind"));
    let why = blind["error"].as_str().unwrap();
    assert!(why.contains("the canary does not answer either"), "{blind}");
    wait_for_many(&mut running, 3 * HOSTS.len(), by("oslo", "unknown"));
    assert_eq!(events(&running, "down"), 0);
    let seen = running.lines_so_far();
    let seen = seen.iter().filter(|line| by("oslo", "up")(line)).count();
    oslo.mend();
    running.wait_for("sight", is("sighted"));
    wait_for_many(&mut running, seen + 2, by("oslo", "up"));
    oslo.order("addr del 10.9.0.11/24 dev cable");
    let down = running.wait_for("the real outage", is("down"));
    assert_eq!(down["site"], "s11");
    running.signal(Signal::TERM);
    let finished = running.finish();
    let outages = finished.objects();
    assert_eq!(outages.iter().filter(|line| is("down")(line)).count(), 1);
    let messages: Vec<String> = history(&squirrel)
        .prepare("SELECT subject FROM outbox WHERE site IS NOT NULL OR subject LIKE '%blind%'")
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

#[test]
fn one_worker_of_two_that_is_cut_neither_blinds_the_monitor_nor_hides_an_outage() {
    let redis = Redis::new();
    let (mut oslo, mut rome) = (Worker::start(&redis, "oslo"), Worker::start(&redis, "rome"));
    let (_squirrel, mut running) = monitor(&redis);
    running.wait_for("a check in oslo", by("oslo", "up"));
    running.wait_for("a check in rome", by("rome", "up"));
    rome.cut();
    wait_for_many(&mut running, 2, by("rome", "unknown"));
    let seen = running.lines_so_far();
    let seen = seen.iter().filter(|line| by("oslo", "up")(line)).count();
    wait_for_many(&mut running, seen + 2, by("oslo", "up"));
    assert_eq!(events(&running, "down"), 0);
    oslo.order("addr del 10.9.0.11/24 dev cable");
    let down = running.wait_for("the real outage", is("down"));
    assert_eq!(down["site"], "s11");
    assert_eq!(events(&running, "blind"), 0);
    running.signal(Signal::TERM);
    running.finish();
}
