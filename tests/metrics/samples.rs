//! What the metrics say: names, labels and values, as Prometheus's own parser reads them.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use super::scraper::{Sample, address, get, parse};
use crate::monitor::sites::{BROKEN, WELL, script};
use crate::owners::sites::is;
use crate::support::{Answer, Fleet, PostServer, Squirrel, Terminal, children_of, send, until};

/// The samples of one site.
fn of<'a>(samples: &'a [Sample], site: &str) -> Vec<&'a Sample> {
    samples
        .iter()
        .filter(|sample| sample.label("name") == site)
        .collect()
}

fn value(samples: &[&Sample], name: &str) -> Option<f64> {
    let found: Vec<_> = samples
        .iter()
        .filter(|sample| sample.name == name)
        .collect();
    assert!(found.len() <= 1, "{name} {} times", found.len());
    found.first().map(|sample| sample.value)
}

fn phases(samples: &[&Sample]) -> BTreeSet<String> {
    samples
        .iter()
        .filter(|sample| sample.name == "probe_http_duration_seconds")
        .map(|sample| sample.label("phase").to_owned())
        .collect()
}

#[test]
fn every_kind_of_site_is_told_under_the_names_of_blackbox_exporter() {
    let mut fleet = Fleet::new();
    let well = fleet.serve(script(WELL));
    let broken = fleet.serve(script(BROKEN));
    let secure = fleet.serve(script(&format!("tls = 'good'\n{WELL}")));
    let closed = fleet.serve(script("listen = 'refuse'"));
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let sites = [
        ("well", format!("http://user:hush@{}/", well.authority)),
        ("broken", format!("http://{}/", broken.authority)),
        (
            "secure",
            format!("https://localhost:{}/", secure.address.port()),
        ),
        ("closed", format!("http://{}/", closed.authority)),
        ("paused", format!("http://{}/p", well.authority)),
        (
            "a \\\"quoted\\\" \\\\ name, äöü",
            format!("http://{}/q?a=%22", well.authority),
        ),
    ];
    let mut text =
        "[monitor]\ninterval = \"1h\"\nconfirm = 1\nconfirm_delay = \"1h\"\nca_file = \"ca.pem\"\n"
            .to_owned();
    for (name, url) in &sites {
        text.push_str(&format!(
            "[[sites]]\nname = \"{name}\"\nurl = \"{url}\"\npaused = {}\n",
            *name == "paused"
        ));
    }
    squirrel.write("sites.toml", text);
    let mut running = squirrel.start([
        "watch",
        "--history",
        "none",
        "--results",
        "--metrics",
        "127.0.0.1:0",
    ]);
    let address = address(&mut running);
    for _ in 0..5 {
        running.wait_for_line();
    }
    let mut samples = Vec::new();
    until("all results told", || {
        samples = parse(&get(address, "/metrics").body);
        let told = samples.iter().filter(|s| s.name == "probe_success");
        told.count() == 5
    });

    let site = of(&samples, "well");
    assert_eq!(value(&site, "probe_success"), Some(1.0));
    assert_eq!(value(&site, "probe_http_status_code"), Some(200.0));
    assert_eq!(value(&site, "probe_ssl_earliest_cert_expiry"), None);
    assert_eq!(value(&site, "squirrel_missed_checks_total"), Some(0.0));
    assert!(phases(&site).is_superset(&["connect", "processing"].map(str::to_owned).into()));
    let whole = value(&site, "probe_duration_seconds").unwrap();
    let parts: f64 = site
        .iter()
        .filter(|sample| sample.name == "probe_http_duration_seconds")
        .map(|sample| sample.value)
        .sum();
    assert!(0.0 < parts && parts <= whole && whole < 10.0);
    let late = value(&site, "squirrel_late_seconds").unwrap();
    assert!((0.0..10.0).contains(&late));
    assert!(
        site.iter().all(
            |sample| sample.label("instance") == format!("http://user:***@{}/", well.authority)
        )
    );

    let site = of(&samples, "broken");
    assert_eq!(value(&site, "probe_success"), Some(0.0));
    assert_eq!(value(&site, "probe_http_status_code"), Some(503.0));

    let site = of(&samples, "secure");
    assert_eq!(value(&site, "probe_success"), Some(1.0));
    assert!(
        phases(&site).is_superset(
            &["resolve", "connect", "tls", "processing"]
                .map(str::to_owned)
                .into()
        )
    );
    assert!(value(&site, "probe_dns_lookup_time_seconds").is_some());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ends = value(&site, "probe_ssl_earliest_cert_expiry").unwrap();
    assert!(ends > now.as_secs_f64() && ends.fract() == 0.0);

    // No answer came: no status, and blackbox_exporter's word for that is 0.
    let site = of(&samples, "closed");
    assert_eq!(value(&site, "probe_success"), Some(0.0));
    assert_eq!(value(&site, "probe_http_status_code"), Some(0.0));
    assert!(!phases(&site).contains("processing"));

    // It is not checked: neither a success nor a failure.
    let site = of(&samples, "paused");
    assert_eq!(value(&site, "probe_success"), None);
    assert_eq!(value(&site, "squirrel_site_state"), Some(1.0));
    let escaped = of(&samples, "a \"quoted\" \\ name, äöü");
    assert_eq!(value(&escaped, "probe_success"), Some(1.0));

    let state = |name: &str| {
        let site = of(&samples, name);
        let mut states = site.iter().filter(|s| s.name == "squirrel_site_state");
        states.next().map(|s| s.label("state").to_owned())
    };
    assert_eq!(state("well").as_deref(), Some("up"));
    assert_eq!(state("broken").as_deref(), Some("down"));
    assert_eq!(state("paused").as_deref(), Some("paused"));

    for sample in &samples {
        let counter = sample.name == "squirrel_missed_checks_total";
        assert_eq!(sample.kind, if counter { "counter" } else { "gauge" });
        assert!(!sample.help.is_empty(), "{}", sample.name);
    }
    let whole: Vec<_> = samples.iter().filter(|s| s.labels.is_empty()).collect();
    assert_eq!(value(&whole, "squirrel_checks_in_flight"), Some(0.0));
    assert_eq!(value(&whole, "squirrel_outbox_pending"), Some(0.0));
    assert!(!get(address, "/metrics").body.contains("hush"));
}

#[test]
fn a_check_that_could_not_be_run_is_no_failure_of_the_site() {
    let mut fleet = Fleet::new();
    let held = fleet.serve(script("'*' = [{ gate = true }]"));
    let listing = format!(
        "[monitor]\ninterval = \"1h\"\ntimeout = \"50s\"\nparadigm = \"processes\"\n\
         workers = 1\n[[sites]]\nname = \"shop\"\nurl = \"http://{}/\"\n",
        held.authority
    );
    let squirrel = Squirrel::new();
    squirrel.write("sites.toml", listing);
    let mut running = squirrel.start(["watch", "--history", "none", "--metrics", ":0"]);
    let address = address(&mut running);
    // A check that three workers die of has not been taken.
    for death in 1..=3 {
        until("the check is run", || held.count.requests() == death);
        let samples = parse(&get(address, "/metrics").body);
        let shop = of(&samples, "shop");
        assert_eq!(value(&shop, "probe_success"), None, "nothing is known yet");
        for child in children_of(running.pid()) {
            send(child, Signal::KILL);
        }
    }
    let mut samples = Vec::new();
    until("the check is given up", || {
        samples = parse(&get(address, "/metrics").body);
        let shop = of(&samples, "shop");
        shop.iter().any(|sample| sample.label("state") == "unknown")
    });
    let shop = of(&samples, "shop");
    assert!(!shop.iter().any(|sample| sample.name.starts_with("probe_")));
    assert!(value(&shop, "squirrel_late_seconds").is_some());
}

#[test]
fn checks_in_flight_missed_checks_and_waiting_messages_are_counted() {
    let mut fleet = Fleet::new();
    let hanging = fleet.serve(script("'*' = [{ hang = true }]"));
    let hook = PostServer::start(&fleet, [Answer::Says("503 Busy", "", "")]);
    let broken = fleet.serve(script(BROKEN));
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\ninterval = \"1s\"\nconfirm = 1\nparadigm = \"serial\"\ntimeout = \"20s\"\n\
             [owners.ops]\nwebhook = \"{}\"\n\
             [[sites]]\nname = \"broken\"\nurl = \"http://{}/\"\nowners = [\"ops\"]\n\
             [[sites]]\nname = \"hanging\"\nurl = \"http://{}/\"\n",
            hook.url(),
            broken.authority,
            hanging.authority
        ),
    );
    let mut running = squirrel.start(["watch", "--history", "history.db", "--metrics", "0"]);
    let address = address(&mut running);
    running.wait_for("the outage", is("down"));
    until("all three counted", || {
        let samples = parse(&get(address, "/metrics").body);
        let whole: Vec<_> = samples.iter().filter(|s| s.labels.is_empty()).collect();
        let broken = of(&samples, "broken");
        value(&whole, "squirrel_checks_in_flight") == Some(1.0)
            && value(&whole, "squirrel_outbox_pending") == Some(1.0)
            && value(&broken, "squirrel_missed_checks_total") > Some(0.0)
    });
}

#[test]
fn a_reload_is_seen_and_sites_that_went_are_not_told_any_more() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = Squirrel::new();
    let listing = |name: &str| {
        format!(
            "[[sites]]\nname = \"{name}\"\nurl = \"http://{}/\"\n",
            site.authority
        )
    };
    squirrel.write("sites.toml", listing("before"));
    let mut running = squirrel.start(["watch", "--history", "none", "--metrics", "0"]);
    let address = address(&mut running);
    squirrel.replace("sites.toml", listing("after"));
    running.wait_for("the reload", is("reloaded"));
    until("the new site", || {
        let samples = parse(&get(address, "/metrics").body);
        assert!(of(&samples, "before").is_empty());
        value(&of(&samples, "after"), "probe_success") == Some(1.0)
    });
}

#[test]
fn the_screen_serves_them_too_and_says_where() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = Squirrel::new();
    let listing = format!(
        "[[sites]]\nname = \"alpha\"\nurl = \"http://{}/\"\n",
        site.authority
    );
    squirrel.write("sites.toml", listing);
    let args = ["--history", "none", "--metrics", "127.0.0.1:0"];
    let mut terminal = Terminal::start(&squirrel, (120, 36), args);
    let frame = terminal.wait_text("metrics at http://127.0.0.1:");
    let text = frame.text();
    let (_, rest) = text.split_once("metrics at http://").unwrap();
    let address = rest.split_once("/metrics").unwrap().0.parse().unwrap();
    until("a check", || {
        let samples = parse(&get(address, "/metrics").body);
        value(&of(&samples, "alpha"), "probe_success") == Some(1.0)
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn the_demonstration_serves_them_of_its_own_fleet_and_of_what_a_key_breaks() {
    let args = ["demo", "--metrics", "127.0.0.1:0"];
    let mut terminal = Terminal::start(&Squirrel::new(), (120, 36), args);
    let text = terminal.wait_text("metrics at http://127.0.0.1:").text();
    let (_, rest) = text.split_once("metrics at http://").unwrap();
    let address = rest.split_once("/metrics").unwrap().0.parse().unwrap();
    let mut samples = Vec::new();
    until("a check of every site that can be checked", || {
        samples = parse(&get(address, "/metrics").body);
        let checked = |sample: &&Sample| sample.name == "probe_success";
        samples.iter().filter(checked).count() == 32
    });
    // Sites that always fail are among them, and sites that never do.
    let success = |samples: &[Sample], site: &str| value(&of(samples, site), "probe_success");
    assert_eq!(success(&samples, "legacy"), Some(0.0));
    assert_eq!(success(&samples, "shop"), Some(1.0));
    let instance = of(&samples, "shop")[0].label("instance");
    assert!(instance.starts_with("https://127.0.0.1:"), "{instance}");
    terminal.press("/");
    terminal.press("shop");
    terminal.press("Enter");
    terminal.wait("the shop alone", |frame| {
        frame.is("shop", "UP") && frame.rows().count() == 1
    });
    terminal.press("b");
    terminal.wait_text("shop broken");
    until("the broken site", || {
        success(&parse(&get(address, "/metrics").body), "shop") == Some(0.0)
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn outages_channels_and_blindness_of_the_whole_monitor_are_told() {
    let mut fleet = Fleet::new();
    let broken = fleet.serve(script(BROKEN));
    let taken = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let refused = PostServer::start(&fleet, [Answer::Says("503 Busy", "", "")]);
    let squirrel = Squirrel::new();
    let listing = |canary: &str| {
        format!(
            "[monitor]\ninterval = \"1s\"\nconfirm = 1\ntimeout = \"1s\"\n{canary}\n\
             [owners.\"on \\\"call\\\"\"]\nwebhook = \"{}\"\n[owners.ops]\nwebhook = \"{}\"\n\
             [notify]\ndigest = \"0s\"\n\
             [[sites]]\nname = \"broken\"\nurl = \"http://{}/\"\nowners = [\"on \\\"call\\\"\", \"ops\"]\n",
            taken.url(),
            refused.url(),
            broken.authority,
        )
    };
    squirrel.write("sites.toml", listing("canaries = []"));
    let mut running = squirrel.start(["watch", "--history", "history.db", "--metrics", "0"]);
    let address = address(&mut running);
    let whole = |name: &str| {
        let samples = parse(&get(address, "/metrics").body);
        let whole: Vec<_> = samples.iter().filter(|s| s.labels.is_empty()).collect();
        value(&whole, name)
    };
    until("the outage", || whole("squirrel_outages_open") == Some(1.0));
    assert_eq!(whole("squirrel_blind"), Some(0.0));
    let channels = || {
        let samples = parse(&get(address, "/metrics").body);
        // The other channel is there as soon as it was told of the end of blindness.
        let of_it = samples.iter().filter(|s| s.name == "squirrel_channel_up");
        let told = of_it.filter(|s| s.label("channel") == "webhook").map(|s| {
            assert_eq!(s.kind, "gauge");
            (s.label("owner").to_owned(), s.value)
        });
        told.collect::<Vec<_>>()
    };
    let both = [("on \"call\"".to_owned(), 1.0), ("ops".to_owned(), 0.0)];
    until("both channels were tried", || channels() == both);
    // Addresses that nobody has (RFC 5737): a site, and the canary that is asked about it.
    let far = "[[sites]]\nname = \"far\"\nurl = \"http://192.0.2.1/\"\n";
    let list = listing("canaries = [\"http://192.0.2.2/\"]") + far;
    squirrel.replace("sites.toml", list);
    running.wait_for("blindness", is("blind"));
    assert_eq!(whole("squirrel_blind"), Some(1.0));
    // What answers on this machine is down all the same.
    assert_eq!(whole("squirrel_outages_open"), Some(1.0));
    let hook = format!("webhook = \"{}\"", refused.url());
    let list = listing("canaries = []").replace(&hook, "push = \"ops\"");
    let list = format!("{list}[notify.push]\nurl = \"{}\"\n", taken.url());
    squirrel.replace("sites.toml", list);
    until(
        "a channel that is not configured any more is not told",
        || channels() == both[..1],
    );
    assert_eq!(whole("squirrel_blind"), Some(0.0));
}
