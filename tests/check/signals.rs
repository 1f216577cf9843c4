//! SIGINT and SIGTERM end a sweep within two seconds, whatever it waits for, with what
//! completed already printed.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::sites::{configure, home, site, sites_at, start};
use crate::support::{Fleet, Running, Script, Squirrel, check_line, paradigms};

const AT_MOST: Duration = Duration::from_secs(2);

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Sends `signal` once `printed` lines have come; the sweep must end in time, by a status that
/// is not success, with whole lines only.
fn interrupted(mut running: Running, signal: Signal, printed: usize, what: &str) {
    running.wait_for_lines(printed);
    let sent = Instant::now();
    running.signal(signal);
    let finished = running.finish();
    let took = sent.elapsed();
    assert!(took < AT_MOST, "{what}: {took:?} after {signal:?}");
    finished.assert_no_panic();
    assert!(
        !finished.status.success(),
        "{what}: an unfinished sweep is no success"
    );
    let lines = finished.objects();
    assert!(lines.len() >= printed, "{what}");
    for line in &lines {
        assert_eq!(check_line(line), Vec::<String>::new(), "{what}: {line}");
    }
}

#[test]
fn a_signal_ends_a_sweep_of_servers_that_hang() {
    let mut fleet = Fleet::new();
    let good = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let hanging = fleet.serve(script("'*' = [{ hang = true }]"));
    let flooding = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\n\r\n', { send = 'hay ', forever = true, every = '10ms' }]",
    ));
    let blackhole = fleet.serve(script("listen = 'blackhole'"));
    let patient = toml::toml! { timeout = "60s" };
    let looking = toml::toml! { timeout = "60s"
    contains = "needle" };
    let mut sites = sites_at(&good, 1, &patient);
    for index in 0..20 {
        let url = |authority: &str| format!("http://{authority}/{index}");
        sites.push(site(
            &format!("hanging {index}"),
            &url(&hanging.authority),
            &patient,
        ));
        sites.push(site(
            &format!("flooding {index}"),
            &url(&flooding.authority),
            &looking,
        ));
        sites.push(site(
            &format!("blackhole {index}"),
            &url(&blackhole.authority),
            &patient,
        ));
    }
    let squirrel = home(&fleet, sites);
    for paradigm in paradigms() {
        for signal in [Signal::INT, Signal::TERM] {
            let running = start(&squirrel, paradigm, 8);
            interrupted(running, signal, 1, paradigm);
        }
    }
}

/// A network of its own, in which a nameserver is configured and never answers: its packets
/// leave through one end of a virtual cable, and nobody listens at the other.
const SILENT_RESOLVER: &str = r#"
ip link set lo up &&
ip link add cable type veth peer name other &&
ip addr add 192.0.2.1/24 dev cable &&
ip link set cable up && ip link set other up &&
ip neigh add 192.0.2.53 lladdr 02:00:00:00:00:53 dev cable &&
mount --bind "$PWD/resolv.conf" /etc/resolv.conf || exit 90
exec "$@"
"#;

#[test]
fn a_signal_ends_a_sweep_of_names_that_nobody_resolves() {
    let mut sites = vec![site("refused", "http://127.0.0.1:9/", &toml::Table::new())];
    for index in 0..20 {
        let url = format!("http://site{index}.example.org/");
        sites.push(site(
            &format!("name {index}"),
            &url,
            &toml::toml! { timeout = "60s" },
        ));
    }
    for paradigm in paradigms() {
        for signal in [Signal::INT, Signal::TERM] {
            let squirrel = Squirrel::new().through([
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "--net",
                "sh",
                "-c",
                SILENT_RESOLVER,
                "sh",
            ]);
            squirrel.write("resolv.conf", "nameserver 192.0.2.53\n");
            configure(&squirrel, &Fleet::new(), sites.clone());
            let mut running = start(&squirrel, paradigm, 8);
            if !running.wait_for_line() {
                let finished = running.finish();
                panic!(
                    "nothing was printed. This test needs unshare (util-linux), ip (iproute2) \
                     and user namespaces: {:?} {}",
                    finished.status, finished.stderr
                );
            }
            interrupted(running, signal, 1, paradigm);
        }
    }
}

#[test]
fn a_signal_ends_a_sweep_that_nobody_has_seen_begin() {
    let mut fleet = Fleet::new();
    let hanging = fleet.serve(script("'*' = [{ hang = true }]"));
    let squirrel = home(
        &fleet,
        sites_at(&hanging, 4, &toml::toml! { timeout = "60s" }),
    );
    for paradigm in paradigms() {
        hanging.count.reset();
        let running = start(&squirrel, paradigm, 4);
        fleet.block_on(async {
            let begun = hanging.count.gathered(1);
            tokio::time::timeout(Duration::from_secs(20), begun)
                .await
                .unwrap();
        });
        interrupted(running, Signal::TERM, 0, paradigm);
    }
}
