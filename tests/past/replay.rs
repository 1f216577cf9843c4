//! `squirrel replay`: the past under other rules.

use serde_json::Value;

use super::sites::{empty, named, now, result, run, site, text};
use crate::monitor::sites::script;
use crate::owners::sites::{BROKEN, count, home, is, watch};
use crate::support::{Fleet, Frame, Squirrel, Terminal, until};

const OK: i64 = 0;
const STATUS: i64 = 1;
const TIMEOUT: i64 = 2;

/// A site that is checked once a minute: reasons and latencies in milliseconds.
fn minutes(squirrel: &Squirrel, name: &str, checks: &[(i64, i64)]) {
    let connection = rusqlite::Connection::open(squirrel.dir().join("history.db")).unwrap();
    let site = site(&connection, name, &format!("http://{name}.invalid/"));
    let begin = now() - 7_200;
    for (minute, (reason, millis)) in checks.iter().enumerate() {
        result(
            &connection,
            site,
            begin + 60 * minute as i64,
            *reason,
            *millis,
        );
    }
}

fn with_rules(rules: &str, sites: &[&str]) -> Squirrel {
    let squirrel = Squirrel::new();
    drop(empty(&squirrel));
    let mut list =
        format!("[monitor]\n{rules}\n[owners.ops]\npush = 'x'\n[owners.dev]\npush = 'y'\n");
    for name in sites {
        list.push_str(&format!(
            "[[sites]]\nname = '{name}'\nurl = 'http://{name}.invalid'\nowners = ['ops', 'dev']\n"
        ));
    }
    squirrel.write("sites.toml", list);
    squirrel
}

/// The two sets of rules, and the outages.
fn replay(squirrel: &Squirrel, args: &[&str]) -> (Value, Value, Vec<Value>) {
    let mut lines = run(squirrel, &[&["replay", "--format", "json"], args].concat()).objects();
    let outages = lines.split_off(2);
    let other = lines.pop().unwrap();
    let now = lines.pop().unwrap();
    assert_eq!([&now["rules"], &other["rules"]], ["now", "other"]);
    (now, other, outages)
}

#[test]
fn a_rule_that_waits_longer_misses_what_is_short_and_notices_the_rest_later() {
    let squirrel = with_rules("confirm = 1\nrecover = 1", &["shop"]);
    let (good, bad) = ((OK, 50), (STATUS, 50));
    minutes(
        &squirrel,
        "shop",
        &[
            good, bad, good, good, bad, bad, bad, bad, good, good, bad, bad,
        ],
    );
    let (now, other, outages) = replay(&squirrel, &["--confirm", "3"]);
    assert_eq!(now["results"], 12);
    // Two owners, told of three outages and of two ends.
    assert_eq!([&now["outages"], &now["messages"]], [3, 10]);
    assert_eq!([&other["outages"], &other["messages"]], [1, 4]);
    assert_eq!([&other["not_noticed"], &other["additional"]], [2, 0]);
    let delays: Vec<_> = outages.iter().map(|outage| &outage["delay_s"]).collect();
    assert_eq!(delays, [&Value::Null, &120.0.into(), &Value::Null]);
    assert_eq!(outages[0]["other_noticed"], Value::Null);
    assert_eq!(outages[2]["ended"], Value::Null);
    // The rule as it is makes no difference.
    let (now, other, outages) = replay(&squirrel, &["--confirm", "1"]);
    assert_eq!(now["messages"], other["messages"]);
    assert!(outages.iter().all(|outage| outage["delay_s"] == 0.0));
    let table = text(&run(&squirrel, &["replay", "--confirm", "3"]));
    for words in [
        "2m00s later",
        "not noticed",
        "1 later, 0 earlier; 2 not noticed",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[test]
fn a_rule_that_is_quicker_notices_earlier_and_more() {
    let squirrel = with_rules("confirm = 3\nrecover = 1", &["shop"]);
    let (good, bad) = ((OK, 50), (STATUS, 50));
    minutes(&squirrel, "shop", &[good, bad, bad, bad, good, bad, good]);
    let (now, other, outages) = replay(&squirrel, &["--confirm", "1"]);
    assert_eq!([&now["outages"], &other["outages"]], [1, 2]);
    assert_eq!(outages[0]["delay_s"], -120.0);
    assert_eq!(outages[1]["noticed"], Value::Null);
    assert_eq!(other["additional"], 1);
    // An outage that ends later is one where another rule saw two.
    let (_, other, _) = replay(&squirrel, &["--confirm", "1", "--recover", "2"]);
    assert_eq!(other["outages"], 1);
}

#[test]
fn a_shorter_timeout_finds_slow_answers_and_a_longer_one_brings_nothing_back() {
    let squirrel = with_rules("confirm = 2\nrecover = 1\nslow = '2s'", &["slow", "late"]);
    minutes(
        &squirrel,
        "slow",
        &[(OK, 50), (11, 6_000), (11, 7_000), (OK, 1_500), (OK, 60)],
    );
    minutes(
        &squirrel,
        "late",
        &[
            (OK, 50),
            (TIMEOUT, 10_000),
            (TIMEOUT, 10_000),
            (OK, 50),
            (13, 20_000),
            (13, 20_000),
        ],
    );
    let (now, other, outages) = replay(&squirrel, &["--timeout", "5s"]);
    assert_eq!([&now["outages"], &other["outages"]], [1, 2]);
    assert_eq!(other["cut_off"], 0);
    let found = named(&outages, "slow");
    assert_eq!(found["noticed"], Value::Null);
    assert_eq!(named(&outages, "late")["delay_s"], 0.0);
    let (_, other, _) = replay(&squirrel, &["--timeout", "20s"]);
    assert_eq!([&other["outages"], &other["cut_off"]], [1, 2]);
    let table = text(&run(&squirrel, &["replay", "--timeout", "20s"]));
    assert!(
        table.contains("2 results a timeout all the same"),
        "{table}"
    );
    let (now, other, _) = replay(&squirrel, &["--slow", "10s"]);
    assert_eq!([&now["degraded"], &other["degraded"]], [1, 0]);
}

#[test]
fn only_the_span_that_is_asked_for_is_replayed() {
    let squirrel = with_rules("confirm = 1\nrecover = 1", &["shop"]);
    let (good, bad) = ((OK, 50), (STATUS, 50));
    let checks: Vec<_> = (0..100)
        .map(|minute| if minute % 10 == 0 { bad } else { good })
        .collect();
    minutes(&squirrel, "shop", &checks);
    assert_eq!(replay(&squirrel, &["--confirm", "2"]).0["outages"], 10);
    assert_eq!(
        replay(&squirrel, &["--confirm", "2", "--since", "65m"]).0["outages"],
        4
    );
}

#[test]
fn under_the_rules_as_they_are_a_replay_finds_what_the_monitor_found() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = watch(&squirrel);
    running.wait_for("the outage", is("down"));
    until("three results are stored", || {
        count(&squirrel, "SELECT count(*) FROM results") >= 3
    });
    // Beside the monitor, which goes on.
    let (now, other, outages) = replay(&squirrel, &["--confirm", "2"]);
    assert_eq!([&now["outages"], &other["outages"]], [1, 1]);
    let found = named(&outages, "shop");
    assert!(found["delay_s"].as_f64() > Some(0.0), "{found}");
    let told = count(&squirrel, "SELECT confirmed FROM outages");
    let noticed: jiff::Timestamp = found["noticed"].as_str().unwrap().parse().unwrap();
    assert!(
        (noticed.as_microsecond() - told).abs() <= 1_000,
        "{noticed} {told}"
    );
}

#[test]
fn a_replay_without_another_rule_is_refused() {
    let squirrel = Squirrel::new();
    drop(empty(&squirrel));
    let finished = squirrel.run(["replay", "--history", "history.db"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished.stderr.contains("give --confirm"),
        "{}",
        finished.stderr
    );
    let finished = squirrel.run(["replay", "--confirm", "0", "--history", "history.db"]);
    assert_eq!(finished.code(), 2);
    let nothing = run(&squirrel, &["replay", "--confirm", "3"]);
    assert_eq!(text(&nothing), "no results in this span\n");
}

/// What the command finds, as the screen writes it: outages and messages under the rules that
/// are tried, and how many outages are noticed later or not at all.
fn figures(squirrel: &Squirrel, args: &[&str]) -> [String; 2] {
    let (_, other, outages) = replay(squirrel, args);
    let later = outages
        .iter()
        .filter(|outage| outage["delay_s"].as_f64() > Some(0.0));
    [
        format!(
            "tried{:>16}{:>10}",
            other["outages"].as_u64().unwrap(),
            other["messages"].as_u64().unwrap()
        ),
        format!("later {}", later.count()),
    ]
}

#[test]
fn on_the_screen_a_key_changes_the_rule_and_the_figures_are_those_of_the_command() {
    let squirrel = with_rules(
        "confirm = 1\nrecover = 1\ninterval = '1d'\ncanaries = []",
        &["shop", "slow"],
    );
    let (good, bad, slow) = ((OK, 50), (STATUS, 50), (11, 6_000));
    let checks = [
        good, bad, good, good, bad, bad, bad, bad, good, good, bad, bad, good, good, bad, bad, bad,
        good,
    ];
    minutes(&squirrel, "shop", &checks);
    minutes(
        &squirrel,
        "slow",
        &[good, slow, slow, slow, good, slow, good],
    );
    // The same a day and six hours before.
    rusqlite::Connection::open(squirrel.dir().join("history.db"))
        .unwrap()
        .execute(
            "INSERT INTO results
             SELECT at - 108000000000, site, reason, status, latency_us, late_ms, seen_ms,
                    maintenance_ms FROM results",
            [],
        )
        .unwrap();
    let before = ["--confirm", "1"];
    let cases: [(&str, &[&str]); 5] = [
        ("c", &["--confirm", "2"]),
        ("c", &["--confirm", "3"]),
        ("T", &["--confirm", "3", "--timeout", "7s"]),
        ("T", &["--confirm", "3", "--timeout", "5s"]),
        (
            "r",
            &["--confirm", "3", "--timeout", "5s", "--recover", "2"],
        ),
    ];
    // Before the monitor begins, so that both see the same results.
    let expected = cases.map(|(key, args)| (key, figures(&squirrel, args)));
    let as_it_is = figures(&squirrel, &before);
    let recent = figures(&squirrel, &["--confirm", "1", "--since", "24h"]);
    assert_ne!(recent, as_it_is);
    assert_ne!(expected[1].1, expected[3].1);
    let sites = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    // Nothing is checked while the monitor runs.
    squirrel.write(
        "sites.toml",
        sites.replace(
            "owners = ['ops', 'dev']",
            "owners = ['ops', 'dev']\npaused = true",
        ),
    );
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["--history", "history.db"]);
    terminal.wait_text("shop");
    terminal.press("F5");
    terminal.wait_text("OUTBOX");
    terminal.press("t");
    let shows = |figures: &[String; 2], frame: &Frame| {
        figures.iter().all(|figure| frame.has(figure)) && frame.has("replayed in")
    };
    terminal.wait("the past as it was", |frame| {
        shows(&as_it_is, frame) && frame.has("50 results from")
    });
    for (key, figures) in &expected {
        terminal.press(key);
        let frame = terminal.wait(&format!("{figures:?}"), |frame| shows(figures, frame));
        assert!(frame.has("shop"), "{}", frame.text());
    }
    // Other keys at once: only the last rule counts.
    terminal.press("xccCCCCT");
    terminal.press("x");
    terminal.wait("the past as it was again", |frame| shows(&as_it_is, frame));
    terminal.press("zzzz");
    terminal.wait("a day", |frame| shows(&recent, frame) && frame.has(" 1d"));
    terminal.press("q");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn where_no_history_is_kept_the_screen_says_so_in_a_sentence() {
    let squirrel = with_rules("interval = '1d'\ncanaries = []", &["shop"]);
    let mut terminal = Terminal::start(&squirrel, (80, 24), ["--history", "none"]);
    terminal.press("F5");
    terminal.wait_text("OUTBOX");
    terminal.press("t");
    terminal.wait_text("No history is kept (--history none)");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
