//! `watch` under a service manager: signals, its messages, and what restarts keep.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::sites::{BROKEN, WELL, count, history, home, is, watch};
use crate::monitor::sites::script;
use crate::support::{Answer, Fleet, PostServer, check_line};

#[test]
fn lines_tell_of_every_change_and_of_every_check_where_that_is_asked() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = squirrel.start(["watch", "--history", "history.db", "--results"]);
    let started = running.wait_for("the start", is("started"));
    assert_eq!(
        (&started["sites"], &started["paradigm"]),
        (&1.into(), &"async".into())
    );
    let check = running.wait_for("a check", |line| line["verdict"] == "up");
    assert_eq!(check_line(&check), Vec::<String>::new());
    site.play(script(BROKEN));
    let down = running.wait_for("the outage", is("down"));
    assert_eq!(
        (&down["site"], &down["reason"], &down["status"]),
        (&"shop".into(), &"status".into(), &503.into())
    );
    assert!(down["url"].is_string() && down["error"].is_string());
    site.play(script(WELL));
    let up = running.wait_for("the end", is("recovered"));
    assert_eq!(up["since"], down["since"]);
    assert!(up["duration_s"].as_f64().unwrap() > 0.0);
    for line in [&started, &down, &up] {
        let _: jiff::Timestamp = line["at"].as_str().unwrap().parse().unwrap();
    }
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert_eq!(finished.code(), 0);
    let lines = finished.objects();
    let last = lines.last().unwrap();
    assert_eq!(
        (&last["event"], &last["signal"]),
        (&"stopped".into(), &15.into())
    );
    // Every result that was printed is stored.
    let checks = lines
        .iter()
        .filter(|line| line["verdict"].is_string())
        .count() as i64;
    assert_eq!(count(&squirrel, "SELECT count(*) FROM results"), checks);
    let view: (String, String) = history(&squirrel)
        .query_row(
            "SELECT verdict, reason FROM checks WHERE status = 503 LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(view, ("down".to_owned(), "status".to_owned()));
}

#[test]
fn an_outage_outlives_a_restart_and_its_end_says_how_long_it_was() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(BROKEN));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let squirrel = home(&fleet, &site, &format!("webhook = \"{}\"", hook.url()), "");
    let mut first = watch(&squirrel);
    let down = first.wait_for("the outage", is("down"));
    first.wait_for("the message", is("notified"));
    first.signal(Signal::TERM);
    first.finish();
    let mut second = squirrel.start(["watch", "--history", "history.db", "--results"]);
    for _ in 0..3 {
        second.wait_for_line();
    }
    site.play(script(WELL));
    let up = second.wait_for("the end", is("recovered"));
    second.wait_for("the message", is("notified"));
    assert_eq!(up["since"], down["since"]);
    let at = |line: &serde_json::Value, field: &str| -> jiff::Timestamp {
        line[field].as_str().unwrap().parse().unwrap()
    };
    let truth = at(&up, "at")
        .duration_since(at(&down, "since"))
        .as_secs_f64();
    assert!(
        (up["duration_s"].as_f64().unwrap() - truth).abs() < 0.2,
        "{truth} s, {up}"
    );
    assert!(!second.lines_so_far().iter().any(is("down")), "told again");
    let events: Vec<_> = hook
        .posted()
        .iter()
        .map(|posted| posted.json()["event"].clone())
        .collect();
    assert_eq!(events, ["down", "recovered"]);
    second.signal(Signal::TERM);
    second.finish();
    assert_eq!(count(&squirrel, "SELECT count(*) FROM outages"), 1);
    assert_eq!(count(&squirrel, "SELECT count(*) FROM streaks"), 0);
}

#[test]
fn hangup_reads_the_file_again_and_a_broken_file_changes_nothing() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let squirrel = home(&fleet, &site, "", "");
    let mut running = watch(&squirrel);
    running.wait_for("the start", is("started"));
    running.signal(Signal::HUP);
    running.wait_for("the reload", is("reloaded"));
    squirrel.replace("sites.toml", "[monitor]\nintervall = \"1s\"\n");
    running.signal(Signal::HUP);
    let failed = running.wait_for("the refusal", is("reload_failed"));
    assert!(
        failed["error"]
            .as_str()
            .unwrap()
            .contains("did you mean \"interval\"?"),
        "{failed}"
    );
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
}

#[test]
fn a_service_manager_is_told_when_it_is_ready_alive_reloading_and_stopping() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let home = home(&fleet, &site, "", "");
    let path = home.dir().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let variable = format!("NOTIFY_SOCKET={}", path.display());
    let squirrel = home.through(["env", &variable, "WATCHDOG_USEC=400000"]);
    let running = watch(&squirrel);
    let hear = |wanted: &str| {
        let until = Instant::now() + Duration::from_secs(20);
        let mut buffer = [0; 1_024];
        while Instant::now() < until {
            let count = socket.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if text.starts_with(wanted) {
                return text;
            }
        }
        panic!("never heard {wanted}");
    };
    assert_eq!(hear("READY=1"), "READY=1\nSTATUS=1 site, 0 down");
    for _ in 0..3 {
        let before = Instant::now();
        hear("WATCHDOG=1");
        assert!(before.elapsed() < Duration::from_millis(400));
    }
    running.signal(Signal::HUP);
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    running.signal(Signal::TERM);
    hear("STOPPING=1");
    assert_eq!(running.finish().code(), 0);
}
