//! The key 7: a broker and workers of one's own, one that is configured, and none at all.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use uptime_squirrel::domain::MaskedUrl;

use super::sites::{SIZE, at, home, listing, script};
use crate::support::{Fleet, Redis, Terminal, children_of, process_state, until};

const OK: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

/// Three sites, checked every second.
const OFTEN: &str = "interval = \"1s\"\ntimeout = \"1s\"";

const NAMES: [&str; 3] = ["one", "two", "three"];

#[test]
fn seven_starts_a_broker_and_two_workers_and_they_end_with_the_program() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let squirrel = home(OFTEN, NAMES.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait_text("● 3 UP");
    assert!(children_of(terminal.pid()).is_empty());
    terminal.press("7");
    terminal.wait_text("[7] CELERY");
    let frame = terminal.wait_text("async -> celery: in flight ");
    let receipt = super::paradigms::receipt(frame.line("async -> celery").unwrap());
    assert_eq!(receipt[3..], [0, 0], "nothing lost, nothing counted twice");
    until("both workers and the broker are there", || {
        children_of(terminal.pid()).len() == 3
    });
    let children = children_of(terminal.pid());
    let asked = server.count.requests();
    until("the checks go on", || server.count.requests() > asked + 9);
    terminal.press("6");
    terminal.wait_text("[6] ASYNC");
    let frame = terminal.wait_text("celery -> async: in flight ");
    let receipt = super::paradigms::receipt(frame.line("celery -> async").unwrap());
    assert_eq!(receipt[3..], [0, 0]);
    until("nobody is left", || {
        children.iter().all(|child| process_state(*child).is_none())
    });
    terminal.press("7");
    terminal.wait_text("[7] CELERY");
    until("others are there", || {
        children_of(terminal.pid()).len() == 3
    });
    let children = children_of(terminal.pid());
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    until("nobody is left", || {
        children.iter().all(|child| process_state(*child).is_none())
    });
}

#[test]
fn with_no_server_installed_the_screen_says_what_to_install_and_the_old_one_goes_on() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let squirrel = home(OFTEN, NAMES.iter().map(|name| at(&server, name)));
    let nowhere = [("PATH", "/nowhere")];
    let mut terminal = Terminal::start_in(&squirrel, (160, 30), &nowhere, []);
    terminal.wait_text("● 3 UP");
    terminal.press("7");
    terminal.wait_text("install redis-server or valkey-server");
    let frame = terminal.wait_text("[6] ASYNC");
    assert!(!frame.text().contains("CELERY"), "{}", frame.text());
    let asked = server.count.requests();
    until("the checks go on", || server.count.requests() > asked + 3);
}

#[test]
fn a_broker_that_goes_away_is_named_and_comes_back_by_itself() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let mut redis = Redis::new();
    let queue = |url: &MaskedUrl| format!("{OFTEN}\n[queue]\nbroker = \"{}\"", url.expose());
    let squirrel = home(
        &queue(&redis.url()),
        NAMES.iter().map(|name| at(&server, name)),
    );
    let worker = squirrel.start(["worker", "--broker", redis.url().expose()]);
    let mut terminal = Terminal::start(&squirrel, (160, 30), ["--paradigm", "celery"]);
    terminal.wait_text("● 3 UP");
    redis.kill();
    let frame = terminal.wait_text("no broker at redis+socket://");
    assert!(frame.text().contains("trying again"), "{}", frame.text());
    // Longer than an interval: checks are missed, and no site is down for it.
    let frame = terminal.wait("a missed check", |frame| frame.text().contains('·'));
    assert!(!frame.text().contains("DOWN ("), "{}", frame.text());
    redis.start_again();
    terminal.wait("no more complaint", |frame| {
        !frame.text().contains("no broker at")
    });
    let asked = server.count.requests();
    until("the checks go on", || server.count.requests() > asked + 6);
    terminal.wait_text("● 3 UP");
    drop(worker);
}

#[test]
fn workers_stand_by_host_and_one_that_dies_is_marked_within_five_seconds() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ wait = '200ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let redis = Redis::new();
    let broker = redis.url();
    let queue = format!("{OFTEN}\n[queue]\nbroker = \"{}\"", broker.expose());
    let names: Vec<_> = (0..16).map(|number| format!("s{number:02}")).collect();
    let squirrel = home(&queue, names.iter().map(|name| at(&server, name)));
    let worker = |host| {
        let args = ["worker", "--broker", broker.expose(), "--hostname", host];
        squirrel.start(args.into_iter().chain(["--concurrency", "4"]))
    };
    let (oslo, lima) = (worker("oslo"), worker("lima"));
    let mut terminal = Terminal::start(&squirrel, (160, 30), ["--paradigm", "celery"]);
    terminal.wait_text("● 16 UP");
    let on = |host: &str, pid: u32| format!("{host}/{pid} celery-worker");
    terminal.wait("checks that both ran", |frame| {
        frame.has(&on("oslo", oslo.pid())) || frame.has(&on("lima", lima.pid()))
    });
    terminal.press("\t");
    let alive = |host: &str, pid: u32| format!("worker celery@{host}, pid {pid}: ");
    let frame = terminal.wait("both hosts, with their clocks", |frame| {
        let row = |host| frame.line(&format!("host {host}, clock "));
        let there = |host| row(host).is_some_and(|row| row.contains("1 worker, "));
        there("oslo")
            && there("lima")
            && frame.has(&alive("oslo", oslo.pid()))
            && frame.has(&alive("lima", lima.pid()))
            && frame.has("processes on 2 hosts, 2 threads")
    });
    // Those that are there, and not how many checks may be on their way.
    let top = frame.line("[7] CELERY").unwrap();
    assert!(
        top.contains("CELERY, 2 workers  on 2 hosts, 8 slots"),
        "{top}"
    );
    let shown = frame.line("broker redis+socket://").unwrap();
    for figure in [
        "round trip ",
        "queue depth ",
        "sent again 0",
        "duplicates dropped 0",
    ] {
        assert!(shown.contains(figure), "{shown}");
    }
    // A host of its own machine has nearly the same clock.
    let clock = frame.line("host oslo, clock ").unwrap();
    assert!(
        clock.contains("ms behind ours") || clock.contains("ms ahead of ours"),
        "{clock}"
    );
    assert!(
        frame.has(&format!("pid {} ", oslo.pid())),
        "{}",
        frame.text()
    );
    let died = Instant::now();
    lima.signal(Signal::KILL);
    let gone = format!("worker celery@lima, pid {}: GONE", lima.pid());
    let frame = terminal.wait_text(&gone);
    assert!(
        died.elapsed() < Duration::from_secs(5),
        "{:?}",
        died.elapsed()
    );
    assert!(!frame.line("worker celery@oslo").unwrap().contains("GONE"));
    let joined = Instant::now();
    let rome = worker("rome");
    terminal.wait_text(&alive("rome", rome.pid()));
    assert!(
        joined.elapsed() < Duration::from_secs(5),
        "{:?}",
        joined.elapsed()
    );
}

#[test]
fn a_check_stands_with_its_worker_while_it_runs_and_one_that_waits_there_is_told_apart() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let redis = Redis::new();
    let broker = redis.url();
    let queue = format!(
        "interval = \"20s\"\ntimeout = \"20s\"\n[queue]\nbroker = \"{}\"",
        broker.expose()
    );
    let squirrel = home(&queue, NAMES.iter().map(|name| at(&server, name)));
    let worker = |host, concurrency| {
        let args = ["worker", "--broker", broker.expose(), "--hostname", host];
        squirrel.start(args.into_iter().chain(["--concurrency", concurrency]))
    };
    let oslo = worker("oslo", "1");
    let mut terminal = Terminal::start(&squirrel, (160, 30), ["--paradigm", "celery"]);
    until("one of three is run", || server.count.most_at_once() == 1);
    terminal.press("\t");
    // Nobody has answered anything, and nobody will.
    let lane = |pid: u32| format!("pid {pid} ");
    let frame = terminal.wait("a check in its lane, and two in the queue", |frame| {
        let held = frame.line(&lane(oslo.pid()));
        held.is_some_and(|row| NAMES.iter().any(|name| row.contains(name)) && row.contains("──"))
            && frame.has("running 1 of 3 | queue 2")
            && frame.has("queue depth 2")
    });
    let held = frame.line(&lane(oslo.pid())).unwrap();
    let name = NAMES.iter().find(|name| held.contains(**name)).unwrap();
    assert!(!frame.has("received"), "{}", frame.text());
    // Another joins, with more places than one: what is held is seen there, too.
    let lima = worker("lima", "4");
    until("all three are run", || server.count.most_at_once() == 3);
    terminal.wait("both lanes hold something", |frame| {
        let holds = |pid| frame.line(&lane(pid)).is_some_and(|row| row.contains("──"));
        holds(oslo.pid())
            && holds(lima.pid())
            && frame.has("running 3 of 3 | queue 0")
            && frame.has("worker celery@oslo, ")
    });
    // Its check is run by nobody when it is gone, and waits to be taken by another.
    oslo.signal(Signal::KILL);
    terminal.wait("told apart", |frame| {
        frame.has("received, not begun 1") && frame.has("running 2 of 3 | queue 1")
    });
    terminal.press("v");
    let frame = terminal.wait("a lane a site", |frame| frame.line("three      ").is_some());
    let waits = frame.line(&format!("{name}      ")).unwrap();
    assert!(
        waits.contains("··") && !waits.contains('│'),
        "{}",
        frame.text()
    );
    fleet.open_gate();
    terminal.wait("all are answered", |frame| frame.has("running 0 of 3"));
}

#[test]
fn an_edit_of_the_queue_moves_the_checks_to_another_broker_with_a_receipt() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let (one, other) = (Redis::new(), Redis::new());
    let list = |broker: &str| {
        let monitor = format!("{OFTEN}\n[queue]\nbroker = \"{broker}\"");
        listing(&monitor, NAMES.iter().map(|name| at(&server, name)))
    };
    let squirrel = home(OFTEN, []);
    squirrel.replace("sites.toml", list(one.url().expose()));
    let worker = |redis: &Redis, host| {
        let url = redis.url();
        squirrel.start(["worker", "--broker", url.expose(), "--hostname", host])
    };
    let (_here, _there) = (worker(&one, "here"), worker(&other, "there"));
    let mut terminal = Terminal::start(&squirrel, (160, 30), ["--paradigm", "celery"]);
    terminal.wait("checks that the first ran", |frame| frame.has("here/"));
    // One that cannot be used is not taken over, and said to be none.
    squirrel.replace("sites.toml", list("redis://127.0.0.1:1/0"));
    terminal.wait_text("no broker at redis://127.0.0.1:1/0: connection refused");
    let asked = server.count.requests();
    until("the checks go on", || server.count.requests() > asked + 6);
    squirrel.replace("sites.toml", list(other.url().expose()));
    let frame = terminal.wait_text("celery -> celery: in flight ");
    let receipt = super::paradigms::receipt(frame.line("celery -> celery").unwrap());
    assert_eq!(receipt[3..], [0, 0], "nothing lost, nothing counted twice");
    terminal.wait("checks that the other ran", |frame| {
        frame.has("there/") && frame.has("● 3 UP")
    });
    // Not in use, it is read all the same, and found so when it is.
    terminal.press("6");
    terminal.wait_text("[6] ASYNC");
    terminal.wait_text("celery -> async: in flight ");
    squirrel.replace("sites.toml", list(one.url().expose()));
    terminal.wait_text("sites.toml read again: 3 sites");
    terminal.press("7");
    terminal.wait("checks that the first ran", |frame| {
        frame.has("[7] CELERY") && frame.has("here/")
    });
}

#[test]
fn a_broker_that_is_not_there_yet_is_named_and_the_checks_begin_when_it_comes() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    let mut redis = Redis::new();
    redis.kill();
    let paradigm = format!(
        "{OFTEN}\nparadigm = \"celery\"\n[queue]\nbroker = \"{}\"",
        redis.url().expose()
    );
    let squirrel = home(&paradigm, NAMES.iter().map(|name| at(&server, name)));
    let mut terminal = Terminal::start(&squirrel, (160, 30), []);
    let frame = terminal.wait_text("no broker at redis+socket://");
    assert!(frame.text().contains("trying again"), "{}", frame.text());
    let frame = terminal.wait("a missed check", |frame| frame.text().contains('·'));
    assert!(!frame.text().contains("DOWN ("), "{}", frame.text());
    let _worker = squirrel.start(["worker", "--broker", redis.url().expose()]);
    redis.start_again();
    terminal.wait("all of it by itself", |frame| {
        frame.has("● 3 UP") && !frame.has("no broker at")
    });
    // Without a screen it is the same.
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    redis.kill();
    let mut watch = squirrel.start(["watch", "--results", "--history", "none"]);
    watch.wait_for("the start", |line| line["event"] == "started");
    redis.start_again();
    watch.wait_for("a check", |line| line["verdict"] == "up");
    // A single sweep, and a broker that refuses us, are another matter.
    redis.kill();
    let args = ["check", "--config", "sites.toml"];
    let finished = squirrel.run(args);
    assert_eq!(finished.code(), 3, "{finished:?}");
    redis.start_again();
    redis.ask::<()>(&["CONFIG", "SET", "requirepass", "secret"]);
    for command in [&["watch"][..], &["check"], &["--paradigm", "celery"]] {
        let finished = squirrel.run(command.iter().copied());
        assert!(matches!(finished.code(), 2 | 3), "{finished:?}");
        let said = &finished.stderr;
        assert!(said.contains("it wants a password"), "{said}");
    }
}
