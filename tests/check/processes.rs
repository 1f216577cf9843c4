//! Child processes that are killed, stopped or talk nonsense: their checks are run again,
//! and nothing of them is left behind on any way out.

use std::io::Write as _;

use rustix::process::{Pid, Signal};

use super::sites::{home, site, sites_at, start};
use crate::support::{Fleet, Running, Script, Server, children_of, send, until};

const HELD: &str = r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

fn alive(pid: u32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// Sweeps `sites` held sites, and waits until as many requests as there are workers wait.
/// The directory with its certificates is gone by then, which children started later must not
/// mind.
fn held(fleet: &mut Fleet, sites: usize, workers: usize, timeout: &str) -> (Running, Server) {
    let server = fleet.serve(script(HELD));
    let settings = [("timeout".to_owned(), timeout.into())]
        .into_iter()
        .collect();
    let squirrel = home(fleet, sites_at(&server, sites, &settings));
    let running = start(&squirrel, "processes", workers);
    until("the checks are in flight", || {
        server.count.most_at_once() == workers
    });
    (running, server)
}

/// Opens the gate: all must be up in the end, each counted once.
fn all_up(fleet: &Fleet, running: Running, sites: usize) {
    fleet.open_gate();
    let finished = running.finish();
    finished.assert_no_panic();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(finished.objects().len(), sites);
}

#[test]
fn a_killed_child_is_replaced_and_its_check_run_again() {
    let mut fleet = Fleet::new();
    let (running, server) = held(&mut fleet, 6, 3, "50s");
    let before = children_of(running.pid());
    assert_eq!(before.len(), 3);
    let victim = *before.first().unwrap();
    send(victim, Signal::KILL);
    until("the check is run again", || server.count.requests() == 4);
    until("the dead is reaped", || !alive(victim));
    let after = children_of(running.pid());
    assert_eq!(after.len(), 3, "{after:?}");
    assert_eq!(before.intersection(&after).count(), 2);
    all_up(&fleet, running, 6);
    assert!(after.into_iter().all(|child| !alive(child)));
}

#[test]
fn an_idle_child_that_dies_is_replaced() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(HELD));
    let settings = toml::toml! { timeout = "50s" };
    let squirrel = home(&fleet, sites_at(&server, 1, &settings));
    let running = start(&squirrel, "processes", 3);
    until("the check is in flight", || server.count.requests() == 1);
    until("all children are there", || {
        children_of(running.pid()).len() == 3
    });
    let before = children_of(running.pid());
    for child in &before {
        send(*child, Signal::KILL);
    }
    until("three others are there", || {
        let now = children_of(running.pid());
        now.len() == 3 && now.is_disjoint(&before)
    });
    all_up(&fleet, running, 1);
}

#[test]
fn a_stopped_child_is_killed_and_its_check_run_again() {
    let mut fleet = Fleet::new();
    let (running, server) = held(&mut fleet, 1, 1, "4s");
    let children = children_of(running.pid());
    let victim = *children.first().unwrap();
    send(victim, Signal::STOP);
    fleet.open_gate();
    until("the check is run again", || server.count.requests() == 2);
    assert!(!alive(victim));
    all_up(&fleet, running, 1);
}

#[test]
fn a_child_that_talks_nonsense_is_replaced_and_its_check_run_again() {
    for nonsense in [
        &b"what is this?\n"[..],
        b"\x02\0\0\0{}",
        b"\xff\xff\xff\xff",
        b"\x04\0\0\0null",
    ] {
        let mut fleet = Fleet::new();
        let (running, server) = held(&mut fleet, 2, 1, "50s");
        let victim = *children_of(running.pid()).first().unwrap();
        // Into the very pipe that the child answers on.
        std::fs::OpenOptions::new()
            .write(true)
            .open(format!("/proc/{victim}/fd/1"))
            .unwrap()
            .write_all(nonsense)
            .unwrap();
        until("the check is run again", || server.count.requests() == 2);
        assert!(!alive(victim));
        all_up(&fleet, running, 2);
    }
}

#[test]
fn a_check_that_three_children_die_of_is_unknown() {
    let mut fleet = Fleet::new();
    let (running, server) = held(&mut fleet, 2, 1, "50s");
    for death in 1..=3 {
        until("the check is run again", || {
            server.count.requests() == death
        });
        let victim = *children_of(running.pid()).first().unwrap();
        send(victim, Signal::KILL);
        until("the dead is reaped", || !alive(victim));
    }
    until("the other check is run", || server.count.requests() == 4);
    fleet.open_gate();
    let finished = running.finish();
    assert_eq!(finished.code(), 3, "{}", finished.stderr);
    let lines = finished.objects();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["verdict"], "unknown");
    assert_eq!(lines[0]["reason"], "internal");
    assert_eq!(
        lines[0]["error"],
        "could not check: a worker process died three times on it: killed by signal 9"
    );
    assert_eq!(lines[1]["verdict"], "up");
}

#[test]
fn no_child_is_left_whatever_ends_the_parent() {
    for signal in [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP] {
        let mut fleet = Fleet::new();
        let (running, _server) = held(&mut fleet, 6, 3, "50s");
        let children = children_of(running.pid());
        assert_eq!(children.len(), 3);
        // One that is stopped reads nothing, and so does not see its input end.
        send(*children.first().unwrap(), Signal::STOP);
        running.signal(signal);
        let finished = running.finish();
        assert!(!finished.status.success());
        until("all children are gone", || {
            !children.iter().any(|child| alive(*child))
        });
    }
}

/// Quick checks are given to a child ahead of time; they wait as long as they are not run, and
/// do not wait for one that turns out to be slow.
#[test]
fn no_check_waits_behind_a_slow_one_while_another_child_is_free() {
    const SITES: usize = 400;
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']
        '/held' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let mut sites = sites_at(&server, SITES - 1, &toml::toml! { timeout = "50s" });
    let url = format!("http://{}/held", server.authority);
    sites.insert(
        SITES / 4,
        site("held", &url, &toml::toml! { timeout = "50s" }),
    );
    let squirrel = home(&fleet, sites);
    let running = start(&squirrel, "processes", 2);
    until("every site is asked", || server.count.requests() == SITES);
    all_up(&fleet, running, SITES);
    assert_eq!(server.count.requests(), SITES, "none is asked twice");
}

/// A child that gets no processor for a while loses nothing of what it was given.
#[test]
fn children_that_stand_still_for_a_moment_ask_every_site_once() {
    const SITES: usize = 1_000;
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let squirrel = home(
        &fleet,
        sites_at(&server, SITES, &toml::toml! { timeout = "50s" }),
    );
    let running = start(&squirrel, "processes", 3);
    until("the sweep is under way", || server.count.requests() > 0);
    let children = children_of(running.pid());
    while server.count.requests() < SITES {
        for signal in [Signal::STOP, Signal::CONT] {
            for child in &children {
                let pid = Pid::from_raw((*child).try_into().unwrap()).unwrap();
                // It may have ended with the sweep.
                let _sent = rustix::process::kill_process(pid, signal);
            }
            std::thread::sleep(std::time::Duration::from_millis(8));
        }
    }
    all_up(&fleet, running, SITES);
    assert_eq!(server.count.requests(), SITES, "none is asked twice");
}

#[test]
fn keys_pressed_at_the_terminal_do_not_reach_the_children() {
    let mut fleet = Fleet::new();
    let (running, _server) = held(&mut fleet, 3, 3, "50s");
    for child in children_of(running.pid()) {
        let pid = Pid::from_raw(child.try_into().unwrap());
        assert_eq!(rustix::process::getpgid(pid).unwrap(), pid.unwrap());
    }
    all_up(&fleet, running, 3);
}

/// The limit of processes does not bind the superuser, so the test becomes somebody else. It
/// needs setpriv or unshare, and prlimit: all of util-linux.
#[test]
fn without_processes_it_says_so_and_looks_at_nothing() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(
        r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    const NOBODY_ELSE: u32 = 1_234_567;
    let number = NOBODY_ELSE.to_string();
    for (limit, code) in [(1, 3), (2, 3), (3, 0)] {
        let limited = format!("--nproc={limit}");
        let become_somebody: &[&str] = if rustix::process::geteuid().is_root() {
            &["setpriv", "--reuid", &number, "--clear-groups"]
        } else {
            // A user namespace counts anew.
            &["unshare", "--user"]
        };
        let squirrel = home(&fleet, sites_at(&server, 8, &toml::Table::new()))
            .through(become_somebody.iter().copied().chain(["prlimit", &limited]));
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(squirrel.dir(), Some(NOBODY_ELSE), None).unwrap();
        }
        let finished = start(&squirrel, "processes", 4).finish();
        finished.assert_no_panic();
        let said = &finished.stderr;
        assert_eq!(finished.code(), code, "at most {limit}: {said}");
        assert!(said.contains("workers 4 -> 1: at most"), "{said}");
        if code == 3 {
            assert!(
                said.contains("can be started: the system allows no more"),
                "{said}"
            );
        } else {
            assert_eq!(finished.objects().len(), 8);
        }
    }
}

#[test]
fn a_worker_that_nobody_talks_to_explains_itself() {
    let finished = crate::support::Squirrel::new().run(["worker"]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 2);
    assert!(finished.stderr.contains("started by squirrel itself"));
    assert!(finished.stdout.is_empty());
}
