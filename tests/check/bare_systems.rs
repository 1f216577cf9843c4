//! Systems that lack what most have: `/proc`, a database of time zones, a locale with UTF-8.

use super::sites::{home, site};
use crate::support::{Fleet, Script, Squirrel, Terminal};

const OK: &str = r"'*' = ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n']";

/// The words of a command that runs another with an empty folder in the place of `folder`.
fn without(folder: &str) -> [String; 7] {
    let script = format!("mount -t tmpfs none {folder} && exec \"$@\"");
    [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        &script,
    ]
    .map(str::to_owned)
}

fn squirrel_without(squirrel: Squirrel, folder: &str) -> Squirrel {
    let words = without(folder);
    squirrel.through(words.iter().map(String::as_str).chain(["sh"]))
}

/// A home with two sites that answer.
fn two_sites(fleet: &mut Fleet) -> Squirrel {
    let script: Script = toml::from_str(OK).unwrap();
    let server = fleet.serve(script);
    let url = format!("http://{}/", server.authority);
    let none = toml::Table::new();
    home(fleet, vec![site("a", &url, &none), site("b", &url, &none)])
}

#[test]
fn without_proc_every_paradigm_that_starts_processes_does_so() {
    let mut fleet = Fleet::new();
    let squirrel = squirrel_without(two_sites(&mut fleet), "/proc");
    for paradigm in ["processes", "celery"] {
        let line = ["check", "--format", "json", "--paradigm", paradigm];
        let finished = squirrel.run(line);
        let said = "this test needs unshare of util-linux, and redis-server";
        assert_eq!(
            finished.code(),
            0,
            "{paradigm}: {} ({said})",
            finished.stderr
        );
        assert_eq!(finished.objects().len(), 2, "{paradigm}");
    }
}

#[test]
fn without_proc_the_demo_shows_its_sites_and_switches() {
    let squirrel = squirrel_without(Squirrel::new(), "/proc");
    let mut terminal = Terminal::start(&squirrel, (120, 36), ["demo"]);
    terminal.wait("the table", |frame| frame.rows().count() > 10);
    terminal.press("4");
    terminal.wait_text("[4] PROCESSES");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn without_a_database_of_time_zones_the_programs_own_serves() {
    let zone = "Europe/Berlin";
    let squirrel = squirrel_without(Squirrel::new(), "/usr/share/zoneinfo");
    let window = |zone: &str| {
        format!(
            "[[sites]]\nurl = \"http://127.0.0.1:1/\"\n\
             maintenance = [{{ cron = \"0 3 * * sun\", lasts = \"2h\", zone = \"{zone}\" }}]\n"
        )
    };
    squirrel.write("sites.toml", window(zone));
    let finished = squirrel.run(["config", "check"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    squirrel.write("sites.toml", window("Europe/Berlln"));
    let finished = squirrel.run(["config", "check"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished.stderr.contains("Europe/Berlln"),
        "{}",
        finished.stderr
    );
}

#[test]
fn without_utf_8_everything_that_is_drawn_is_ascii() {
    for locale in [
        "LC_ALL=C",
        "LANG=de_DE.ISO-8859-1",
        "LC_CTYPE=POSIX",
        "LANG=",
    ] {
        let (name, value) = locale.split_once('=').unwrap();
        let mut terminal =
            Terminal::start_in(&Squirrel::new(), (120, 36), &[(name, value)], ["demo"]);
        terminal.wait("the table", |frame| frame.rows().count() > 10);
        for key in ["Enter", "Esc", "F1", "F3", "F4", "F5", "?"] {
            terminal.press(key);
        }
        terminal.wait_text("- Help:");
        terminal.press("Ctrl-C");
        assert_eq!(terminal.finish(), 0);
        let tape = terminal.tape();
        assert!(tape.bytes.is_ascii(), "{locale}");
    }
}

/// The bytes of other characters are control characters to such a terminal: 0x9b is CSI.
#[test]
fn without_utf_8_a_notification_is_ascii_whatever_the_site_is_called() {
    let squirrel = Squirrel::new();
    let site = "[monitor]\nconfirm = 1\n[[sites]]\nname = 'b\u{db}r\u{65e5}s'\nurl = 'http://127.0.0.1:1/'\n";
    squirrel.write("sites.toml", site);
    let mut terminal = Terminal::start_in(&squirrel, (120, 36), &[("LC_ALL", "C")], []);
    terminal.wait_for("the notification", |tape| !tape.heard().notes.is_empty());
    let note = terminal.heard(|heard| heard.notes[0].clone());
    assert!(note.starts_with("squirrel: DOWN: b?r?s ("), "{note}");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert!(terminal.tape().bytes.is_ascii());
}

#[test]
fn without_utf_8_the_table_of_a_race_is_ascii() {
    let squirrel = Squirrel::new().through(["env", "LANG=C"]);
    let race = [
        "race",
        "--workload",
        "sleep",
        "--length",
        "50ms",
        "--rounds",
        "1",
    ];
    let finished = squirrel.run(race.into_iter().chain(["--paradigm", "serial,threads"]));
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.is_ascii() && said.contains("##"), "{said}");
}

#[test]
fn without_utf_8_the_table_of_a_sweep_is_ascii_and_json_is_as_ever() {
    let squirrel = Squirrel::new().through(["env", "LC_ALL=C"]);
    squirrel.write(
        "sites.toml",
        "[[sites]]\nname = \"B\u{fc}cher\"\nurl = \"http://127.0.0.1:1\"\n",
    );
    let finished = squirrel.run(["check"]);
    let said = String::from_utf8(finished.stdout).unwrap();
    assert!(said.is_ascii() && said.contains(" B?cher "), "{said}");
    let finished = squirrel.run(["check", "--format", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&finished.stdout).unwrap();
    assert_eq!(said["name"], "B\u{fc}cher");
}
