//! Exit statuses: 0 all up, 1 some down, 2 a mistake of ours, 3 could not be checked.

use super::sites::{home, site, sites_at, start};
use crate::support::{Fleet, Script, Squirrel, paradigms};

fn script(toml: &str) -> Script {
    toml::from_str(toml).unwrap()
}

const OK: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

#[test]
fn all_up_or_degraded_is_0_and_one_down_is_1() {
    let mut fleet = Fleet::new();
    let good = fleet.serve(script(OK));
    let slow = fleet.serve(script(
        r"'*' = [{ wait = '60ms' }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let refused = fleet.serve(script("listen = 'refuse'"));
    let none = toml::Table::new();
    let url = |authority: &str| format!("http://{authority}/");
    let mut sites = vec![
        site("good", &url(&good.authority), &none),
        site(
            "slow",
            &url(&slow.authority),
            &toml::toml! { slow = "10ms" },
        ),
    ];
    for paradigm in paradigms() {
        let finished = start(&home(&fleet, sites.clone()), paradigm, 2).finish();
        let verdicts: Vec<_> = finished
            .objects()
            .iter()
            .map(|line| line["verdict"].clone())
            .collect();
        assert!(verdicts.contains(&"degraded".into()), "{verdicts:?}");
        assert_eq!(finished.code(), 0, "{paradigm}: {}", finished.stderr);
    }
    sites.push(site("refused", &url(&refused.authority), &none));
    for paradigm in paradigms() {
        let finished = start(&home(&fleet, sites.clone()), paradigm, 2).finish();
        assert_eq!(finished.code(), 1, "{paradigm}: {}", finished.stderr);
    }
}

/// The program's own options are the subcommand's wherever they stand, and one that it does not
/// have is never ignored.
#[test]
fn options_before_the_subcommand_count_as_those_behind_it() {
    let fleet = Fleet::new();
    let squirrel = home(&fleet, Vec::new());
    squirrel.write("list.toml", "[[sites]]\nurl = \"http://127.0.0.1:1/\"\n");
    let run = |line: &str| squirrel.run(line.split(' '));
    let options = "-c list.toml --paradigm=threads --workers 2 --log-level off";
    let finished = run(&format!("{options} check --format json"));
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
    assert_eq!(finished.objects()[0]["paradigm"], "threads");
    assert_eq!(run("--config list.toml config check").code(), 0);
    assert_eq!(run("config --config list.toml check").code(), 0);
    for (line, command) in [
        ("--ascii check --config list.toml", "squirrel check"),
        ("--paradigm threads completions bash", "completions"),
    ] {
        let finished = run(line);
        assert_eq!(finished.code(), 2, "{line}");
        let first = finished.stderr.lines().next().unwrap_or_default();
        assert!(first.contains("unexpected argument"), "{first}");
        assert!(finished.stderr.contains(command), "{}", finished.stderr);
    }
}

#[test]
fn a_mistaken_command_line_is_2_and_says_what_is_wrong() {
    let fleet = Fleet::new();
    let squirrel = home(&fleet, Vec::new());
    squirrel.write("sites.toml", "[[sites]]\nurl = \"http://127.0.0.1:1/\"\n");
    squirrel.write(
        "latin1.toml",
        b"[[sites]]\nname = \"caf\xe9\"\nurl = \"http://a/\"\n",
    );
    let table: [(&[&str], &str); 16] = [
        (&["check", "--config", "none.toml"], "none.toml"),
        (&["check", "--config", "."], "."),
        (&["check", "--config", "latin1.toml"], "latin1.toml"),
        (&["check", "--config"], "--config"),
        (
            &["check", "--paradigm", "fibres", "--config", "sites.toml"],
            "fibres",
        ),
        (
            &["check", "--paradigm", "", "--config", "sites.toml"],
            "--paradigm",
        ),
        (
            &["check", "--workers", "0", "--config", "sites.toml"],
            "--workers",
        ),
        (&["check", "--workers", "-1", "--config", "sites.toml"], "-"),
        (
            &["check", "--workers", "many", "--config", "sites.toml"],
            "many",
        ),
        (
            &[
                "check",
                "--workers",
                "99999999999999999999",
                "--config",
                "sites.toml",
            ],
            "--workers",
        ),
        (
            &["check", "--format", "xml", "--config", "sites.toml"],
            "xml",
        ),
        (&["check", "--frobnicate"], "--frobnicate"),
        (&["check", "not a url"], "not a url"),
        (&["check", "ftp://127.0.0.1/"], "ftp"),
        (&["check", "http://"], "http://"),
        (&["chekc"], "chekc"),
    ];
    for (args, fragment) in table {
        let finished = squirrel.run(args.iter().copied());
        finished.assert_no_panic();
        assert_eq!(finished.code(), 2, "{args:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(fragment),
            "{args:?}: {}",
            finished.stderr
        );
        assert!(finished.stdout.is_empty(), "{args:?}");
    }
}

/// Lists may come later, so it is no mistake; but a slip of the pen must not go unsaid.
#[test]
fn a_pattern_that_matches_no_list_is_warned_of_and_0() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[monitor]\ninclude = [\"none/*.txt\"]\n[[sites]]\nurl = \"http://127.0.0.1:1/\"\n",
    );
    let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(
        finished.stderr,
        "squirrel: sites.toml:2:12: monitor.include[0]: no file matches \"none/*.txt\"\n"
    );
}

#[test]
fn no_sites_at_all_is_2() {
    let finished = Squirrel::new().run(["check", "--format", "json"]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 2, "{}", finished.stderr);
    assert!(!finished.stderr.is_empty());
}

#[test]
fn a_list_without_sites_is_2() {
    let squirrel = Squirrel::new();
    squirrel.write("sites.toml", "[monitor]\ninterval = \"5m\"\n");
    for command in ["check", "watch"] {
        let finished = squirrel.run([command, "--config", "sites.toml"]);
        finished.assert_no_panic();
        assert_eq!(finished.code(), 2, "{}", finished.stderr);
        assert_eq!(finished.stderr, "squirrel: sites.toml: no site is listed\n");
        assert!(finished.stdout.is_empty(), "{command}");
    }
}

/// With ever fewer descriptors the program first has enough, then cannot check, then cannot
/// even start. Whatever it is, no site is called down for it, and the status tells the truth.
#[test]
fn running_out_of_descriptors_never_makes_a_site_down() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(OK));
    for paradigm in paradigms() {
        for limit in 8..=40 {
            let finished = start(
                &home(&fleet, sites_at(&server, 8, &toml::Table::new())).through([
                    "sh",
                    "-c",
                    &format!("ulimit -n {limit}; exec \"$@\""),
                    "sh",
                ]),
                paradigm,
                4,
            )
            .finish();
            let context = format!("{paradigm}, {limit} files: {}", finished.stderr);
            finished.assert_no_panic();
            let lines = finished.objects();
            let count = |verdict: &str| {
                lines
                    .iter()
                    .filter(|line| line["verdict"] == verdict)
                    .count()
            };
            assert_eq!(count("down"), 0, "{context} {lines:?}");
            if lines.len() < 8 {
                assert!([2, 3, 127].contains(&finished.code()), "{context}");
                assert!(!finished.stderr.is_empty(), "{context}");
                continue;
            }
            let unknown = count("unknown");
            assert_eq!(
                finished.code(),
                if unknown > 0 { 3 } else { 0 },
                "{context}"
            );
            for line in lines.iter().filter(|line| line["verdict"] == "unknown") {
                assert_eq!(line["reason"], "internal", "{line}");
            }
        }
    }
}

/// The files run out in the middle of a sweep: what was seen stands, the rest is unknown.
#[test]
fn what_could_not_be_checked_is_unknown_and_3() {
    let mut fleet = Fleet::new();
    let good = fleet.serve(script(OK));
    let held = fleet.serve(script(
        r"'*' = [{ gate = true }, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']",
    ));
    let url = |authority: &str| format!("http://{authority}/");
    let patient = toml::toml! { timeout = "20s" };
    let sites = vec![
        site("seen", &url(&good.authority), &patient),
        site("held", &url(&held.authority), &patient),
        site("not seen", &url(&good.authority), &patient),
    ];
    let squirrel = home(&fleet, sites);
    let mut running = start(&squirrel, "serial", 1);
    running.wait_for_lines(1);
    let none_left = rustix::process::Rlimit {
        current: Some(3),
        maximum: Some(3),
    };
    let pid = rustix::process::Pid::from_raw(running.pid().try_into().unwrap());
    rustix::process::prlimit(pid, rustix::process::Resource::Nofile, none_left).unwrap();
    fleet.open_gate();
    let finished = running.finish();
    finished.assert_no_panic();
    assert_eq!(finished.code(), 3, "{}", finished.stderr);
    let lines = finished.objects();
    let of = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    assert_eq!(of("seen")["verdict"], "up");
    assert_eq!(of("not seen")["verdict"], "unknown");
    assert_eq!(of("not seen")["reason"], "internal");
    assert!(lines.iter().all(|line| line["verdict"] != "down"));
}

/// Without a broker no check is made: every site has its own object that says so.
#[test]
fn without_a_broker_every_site_is_unknown_and_3() {
    let fleet = Fleet::new();
    let url = "http://127.0.0.1:1/";
    let paused = toml::toml! { paused = true };
    let sites = ["one", "two"].map(|name| site(name, url, &toml::Table::new()));
    let mut sites = sites.to_vec();
    sites.push(site("paused", url, &paused));
    let squirrel = home(&fleet, sites);
    let common = ["--config", "sites.toml", "--paradigm", "celery"];
    let broker = ["--broker", "redis://127.0.0.1:1/0"];
    let run = |format: &'static str| {
        let args = ["check", "--format", format].into_iter();
        let finished = squirrel.run(args.chain(common).chain(broker));
        finished.assert_no_panic();
        assert_eq!(finished.code(), 3, "{}", finished.stderr);
        assert!(finished.stderr.contains("broker"), "{}", finished.stderr);
        finished
    };
    let objects = run("json").objects();
    let names: Vec<_> = objects.iter().map(|line| line["name"].clone()).collect();
    assert_eq!(names, ["one", "two"]);
    for line in objects {
        assert_eq!(line["verdict"], "unknown", "{line}");
        assert_eq!(line["reason"], "internal", "{line}");
        assert_eq!(line["paradigm"], "celery", "{line}");
        let error = line["error"].as_str().unwrap();
        assert!(error.starts_with("could not check: "), "{line}");
        assert!(error.contains("broker"), "{line}");
    }
    let table = run("table").stdout;
    let table = String::from_utf8_lossy(&table);
    assert_eq!(table.matches("unknown").count(), 3, "{table}");
    let summary = table.lines().last().unwrap();
    assert!(summary.starts_with("2 of 2 sites checked in "), "{table}");
    assert!(summary.ends_with(": 0 up, 0 down, 2 unknown"), "{table}");
}
