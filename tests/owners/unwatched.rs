//! Nobody checks any more: the only worker is frozen, or gone. It is said on every way there is.

use rustix::process::Signal;
use serde_json::Value;

use super::sites::{WELL, home, is};
use crate::metrics::scraper::{address, get};
use crate::monitor::sites::{SIZE, script};
use crate::support::{
    Answer, Fleet, PostServer, Redis, Server, Squirrel, Terminal, children_of, send, until,
};

/// A home whose owner of last resort is reached by a hook.
fn watched_home(fleet: &Fleet, site: &Server, hook: &PostServer, monitor: &str) -> Squirrel {
    let owner = format!("webhook = \"{}\"", hook.url());
    let squirrel = home(fleet, site, &owner, "");
    let text = std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    let text = text.replace(
        "[monitor]\n",
        &format!("[monitor]\nowners = [\"ops\"]\n{monitor}\n"),
    );
    squirrel.write("sites.toml", text);
    squirrel
}

/// The samples of a metric.
fn samples(body: &str, name: &str) -> Vec<String> {
    let of_it = |line: &&str| line.starts_with(name) && !line.starts_with('#');
    body.lines().filter(of_it).map(str::to_owned).collect()
}

fn events(hook: &PostServer) -> Vec<Value> {
    let posted = hook.posted();
    posted
        .iter()
        .map(|posted| posted.json()["event"].clone())
        .collect()
}

#[test]
fn a_frozen_worker_process_is_an_event_a_message_and_no_sample_and_over_when_it_goes_on() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    // A frozen process is replaced when its check is overdue: here after all of this.
    let monitor = "paradigm = \"processes\"\nworkers = 1\ntimeout = \"10m\"";
    let squirrel = watched_home(&fleet, &site, &hook, monitor);
    let args = ["watch", "--history", "none", "--results", "--metrics", ":0"];
    let mut running = squirrel.start(args);
    let address = address(&mut running);
    running.wait_for("a check", |line| line["verdict"] == "up");
    let success = || samples(&get(address, "/metrics").body, "probe_success");
    until("a sample", || success().len() == 1);
    let worker = *children_of(running.pid()).iter().next().unwrap();
    send(worker, Signal::STOP);
    // Nobody knows any more: neither up nor down.
    until("no sample", || success().is_empty());
    let unwatched = running.wait_for("the event", is("unwatched"));
    assert_eq!(unwatched["sites"], 1);
    assert!(unwatched["since"].is_string() && unwatched["error"].is_string());
    running.wait_for("the message", is("notified"));
    assert_eq!(events(&hook), ["unwatched"]);
    assert!(success().is_empty());
    send(worker, Signal::CONT);
    running.wait_for("the end", is("watched"));
    until("a sample", || success().len() == 1);
    running.signal(Signal::TERM);
    let finished = running.finish();
    assert!(!finished.objects().iter().any(is("down")), "nobody is down");
}

#[test]
fn a_killed_celery_worker_is_told_and_stands_on_the_screen_after_a_restart_as_well() {
    let mut fleet = Fleet::new();
    let site = fleet.serve(script(WELL));
    let hook = PostServer::start(&fleet, [Answer::Says("200 OK", "", "")]);
    let redis = Redis::new();
    let broker = redis.url();
    let squirrel = watched_home(&fleet, &site, &hook, "paradigm = \"celery\"");
    let args = [
        "watch",
        "--history",
        "history.db",
        "--results",
        "--broker",
        broker.expose(),
    ];
    let work = || squirrel.start(["worker", "--broker", broker.expose()]);
    let worker = work();
    let mut running = squirrel.start(args);
    running.wait_for("a check", |line| line["verdict"] == "up");
    worker.signal(Signal::KILL);
    running.wait_for("the event", is("unwatched"));
    running.wait_for("the message", is("notified"));
    assert_eq!(events(&hook), ["unwatched"]);
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    let screen = ["--history", "history.db", "--broker", broker.expose()];
    let mut terminal = Terminal::start(&squirrel, SIZE, screen);
    terminal.wait_text("CHECKS DO NOT RUN for ");
    let _worker = work();
    terminal.wait("checks again", |frame| {
        frame.is("shop", "UP") && !frame.has("CHECKS DO NOT RUN")
    });
    until("the message of the end", || {
        events(&hook) == ["unwatched", "watched"]
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
