//! Whatever the servers send, memory stays within 48 MiB of a one-site run.

use super::sites::{home, site, sites_at, start};
use crate::support::{Fleet, Script, children_of, own_peak_memory, paradigms};

const MIB: u64 = 1024 * 1024;

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

/// Peak memory of a sweep, read while its last site is still held back by its server.
fn peak(fleet: &mut Fleet, sites: &[toml::Table], paradigm: &str, workers: usize) -> u64 {
    let held = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut sites = sites.to_vec();
    let url = format!("http://{}/", held.authority);
    sites.push(site("held", &url, &toml::toml! { timeout = "50s" }));
    let squirrel = home(fleet, sites.clone());
    let mut running = start(&squirrel, paradigm, workers);
    running.wait_for_lines(sites.len() - 1);
    // Every child of `processes` is still there: the held site keeps the sweep going.
    let children = children_of(running.pid());
    let peak = running.peak_rss() + children.into_iter().map(own_peak_memory).sum::<u64>();
    // The held site has no more to say.
    drop(running);
    assert!(peak > MIB, "the memory of the process could not be read");
    peak
}

/// Fails when a sweep of `sites` takes 48 MiB more than a sweep of one good site.
fn assert_frugal(fleet: &mut Fleet, sites: &[toml::Table], paradigm: &str, workers: usize) {
    let good = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let one = peak(
        fleet,
        &sites_at(&good, 1, &toml::Table::new()),
        paradigm,
        workers,
    );
    let all = peak(fleet, sites, paradigm, workers);
    let more = all.saturating_sub(one);
    assert!(
        more <= 48 * MIB,
        "{paradigm}: {} MiB, {} MiB more than with one site",
        all / MIB,
        more / MIB
    );
}

#[test]
fn hostile_servers_cost_less_than_48_mib() {
    let mut fleet = Fleet::new();
    let head = r"HTTP/1.1 200 OK\r\n";
    let hostile = [
        format!(
            r"'*' = ['{head}X-Long: ', {{ send = 'aaaaaaaaaaaaaaaa', times = 655360 }}, '\r\n\r\n']"
        ),
        format!(
            r"'*' = ['{head}', {{ send = 'X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n', forever = true }}]"
        ),
        format!(r"'*' = ['{head}\r\n', {{ send = 'hay hay hay hay ', forever = true }}]"),
        format!(r"'*' = ['{head}Content-Encoding: gzip\r\n\r\n', {{ bomb = 1 }}]"),
        format!(
            r"'*' = ['{head}Content-Length: 99999999999\r\n\r\n', {{ send = 'hay ', forever = true }}]"
        ),
        format!(
            r"'*' = ['{head}Transfer-Encoding: chunked\r\n\r\n', {{ send = '1\r\nn\r\n', forever = true }}]"
        ),
    ];
    let settings = toml::toml! { timeout = "1500ms"
    contains = "needle" };
    let mut sites = Vec::new();
    for (kind, script_text) in hostile.iter().enumerate() {
        let server = fleet.serve(script(script_text));
        for index in 0..34 {
            let url = format!("http://{}/{index}", server.authority);
            sites.push(site(&format!("hostile {kind} {index}"), &url, &settings));
        }
    }
    assert!(sites.len() >= 200);
    for paradigm in paradigms() {
        // One after another, one of each kind shows as much as all of them.
        let (workers, every) = match paradigm {
            "serial" => (1, 34),
            "threads" | "futures" => (64, 1),
            "processes" => (8, 4),
            _ => (sites.len() + 1, 1),
        };
        let some: Vec<_> = sites.iter().step_by(every).cloned().collect();
        assert_frugal(&mut fleet, &some, paradigm, workers);
    }
}

/// Two hundred heads at once, each just under the size at which an HTTP library gives up,
/// and then nothing: every buffer stays as full as it gets until the deadline.
#[test]
fn heads_that_fill_every_buffer_at_once_cost_less_than_48_mib() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nX-Long: ', { send = 'aaaaaaaaaa', times = 40000 }, { hang = true }]",
    ));
    let sites = sites_at(&server, 200, &toml::toml! { timeout = "2500ms" });
    assert_frugal(&mut fleet, &sites, "async", sites.len() + 1);
}

/// The same with heads that are complete, and full of what a check reads, before a body that never
/// comes.
#[test]
fn what_large_heads_leave_behind_costs_less_than_48_mib() {
    let mut fleet = Fleet::new();
    let field =
        |name: &str| format!("'{name}: ', {{ send = 'aaaaaaaaaa', times = 6000 }}, '\\r\\n'");
    let server = fleet.serve(script(&format!(
        r"'*' = ['HTTP/1.1 200 OK\r\n', {}, {}, {}, {}, '\r\n', {{ hang = true }}]",
        field("Location"),
        field("Content-Type"),
        field("Set-Cookie"),
        field("Set-Cookie"),
    )));
    let settings = toml::toml! { timeout = "4s"
    contains = "needle" };
    let sites = sites_at(&server, 240, &settings);
    assert_frugal(&mut fleet, &sites, "async", sites.len() + 1);
}

/// Heads that are larger than usual have 32 MiB together: so many of them at once that there is no
/// room are no outage of the sites that find none, and those with usual heads need none.
#[test]
fn large_heads_without_room_are_unknown_and_others_are_not() {
    let mut fleet = Fleet::new();
    let large = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nX-Long: ', { send = 'aaaaaaaaaa', times = 3000 }, { hang = true }]",
    ));
    let usual = fleet.serve(script(
        r"'*' = [{ wait = '1s' }, 'HTTP/1.1 200 OK\r\nX-Long: ', { send = 'aaaaaaaaaa', times = 1000 }, '\r\n\r\n']",
    ));
    let settings = toml::toml! { timeout = "3s"
    method = "GET" };
    let mut sites = sites_at(&large, 200, &settings);
    sites.push(site(
        "usual",
        &format!("http://{}/", usual.authority),
        &settings,
    ));
    let finished = start(&home(&fleet, sites), "async", 400).finish();
    let lines = finished.objects();
    let count = |verdict: &str, reason: &str| {
        let fits =
            |line: &&serde_json::Value| line["verdict"] == verdict && line["reason"] == reason;
        lines.iter().filter(fits).count()
    };
    // As many as fit hang until the deadline: 32 MiB of 512 KiB each.
    let counts = (count("down", "timeout"), count("unknown", "internal"));
    assert_eq!(counts, (64, 136));
    let said = |line: &serde_json::Value| line["error"].as_str().unwrap_or_default().to_owned();
    for line in lines.iter().filter(|line| line["verdict"] == "unknown") {
        assert!(said(line).contains("no memory"), "{line}");
    }
    let usual = lines.iter().find(|line| line["name"] == "usual").unwrap();
    assert_eq!(usual["verdict"], "up", "{usual}");
}

#[test]
fn json_that_is_searched_costs_less_than_48_mib() {
    let mut fleet = Fleet::new();
    // Objects of one member take a hundred times what they are written with.
    let bodies = [
        r#"Content-Length: 1000001\r\n\r\n[', { send = '{"":0},', times = 142857 }, '0]"#,
        r#"\r\n[', { send = '{"":0},', times = 30000 }, '0]"#,
        r"\r\n', { send = '[[[0]],[[0]]],[', forever = true }, '",
    ];
    let settings = toml::toml! { timeout = "20s"
    slow = "20s"
    json = [{ path = "$..none" }, { path = "$[0]" }] };
    let mut sites = Vec::new();
    for (kind, body) in bodies.iter().enumerate() {
        let text = format!(r"'*' = ['HTTP/1.1 200 OK\r\n{body}']");
        let server = fleet.serve(script(&text));
        for index in 0..20 {
            let url = format!("http://{}/{index}", server.authority);
            sites.push(site(&format!("json {kind} {index}"), &url, &settings));
        }
    }
    for (paradigm, workers) in [("threads", 60), ("async", 60), ("green", 60)] {
        assert_frugal(&mut fleet, &sites, paradigm, workers);
    }
}
