//! Files that mean no good, files that are something else, and files that are there already.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use super::home::{import, refused};
use crate::support::{Squirrel, unsafe_characters};

#[test]
fn what_is_no_such_file_is_one_sentence_with_its_line() {
    for (format, text, sentence) in [
        ("gatus", "endpoints:\n- name: a\n  url: [\n", "file:"),
        (
            "gatus",
            "endpoints:\n  name: a\n",
            "file:2: endpoints: expected a list",
        ),
        (
            "gatus",
            "endpoints:\n- a\n- b\n",
            "file:2: endpoints: expected a map",
        ),
        (
            "gatus",
            "a: 1\na: 2\n",
            "file:2: not YAML: duplicate mapping key: a",
        ),
        (
            "gatus",
            "endpoints: *nope\n",
            "file:1: not YAML: alias references unknown anchor",
        ),
        (
            "gatus",
            "x: &a [*a]\n",
            "file:1: not YAML that is read here: an alias stands inside of what it repeats",
        ),
        (
            "gatus",
            "web:\n  port: 80\n",
            "file: no endpoints are there",
        ),
        ("gatus", "", "file: no endpoints are there"),
        ("gatus", "endpoints: []\n", "file: it has no site"),
        (
            "gatus",
            "endpoints:\n- url: ssh://a\n",
            "file: it has no site that can be checked: 1 left out",
        ),
        (
            "kuma",
            "{\n \"monitorList\": [,]\n}",
            "file:2: not JSON from character 18 of the line on",
        ),
        ("kuma", "{\"x\":", "file:1: not JSON: it ends in the middle"),
        ("kuma", "{}", "file: no monitorList is there"),
        (
            "kuma",
            "{\"monitorList\": 5}",
            "file: monitorList: expected a list",
        ),
        (
            "kuma",
            "{\"monitorList\": [5]}",
            "file: monitorList[0]: expected an object",
        ),
        (
            "blackbox",
            "modules: {}\n",
            "file: no scrape_configs are there",
        ),
        (
            "blackbox",
            "scrape_configs:\n- params: {module: [http]}\n  static_configs:\n    targets: []\n",
            "file:4: static_configs: expected a list",
        ),
        ("list", "# nothing\n", "file: it has no site"),
    ] {
        let said = refused(format, &[("file", text.as_bytes())]);
        let expected = format!("squirrel: {sentence}");
        assert!(said.starts_with(&expected), "{said} is not {expected}");
    }
    // The file at fault is the one that is named.
    let good = b"endpoints:\n- {name: a, url: 'https://a.example'}\n";
    let said = refused("gatus", &[("good", good), ("bad", b"endpoints: 5\n")]);
    assert_eq!(said, "squirrel: bad:1: endpoints: expected a list\n");
}

#[test]
fn aliases_that_multiply_and_depth_without_end_are_refused_at_once() {
    let mut laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='j').zip('a'..) {
        let ten = vec![format!("*{before}"); 10].join(", ");
        writeln!(laughs, "{name}: &{name} [{ten}]").unwrap();
    }
    let deep_yaml = "[".repeat(200_000);
    let blocks: String = (0..20_000)
        .map(|depth| format!("{}a:\n", " ".repeat(depth % 5_000)))
        .collect();
    let deep_json = format!("{{\"monitorList\": {}", "[".repeat(200_000));
    let began = Instant::now();
    for (format, text) in [
        ("gatus", &laughs),
        ("gatus", &deep_yaml),
        ("gatus", &blocks),
        ("kuma", &deep_json),
    ] {
        let squirrel = Squirrel::new();
        squirrel.write("file", text);
        let mut running = squirrel.start(["import", format, "file"]);
        while running.wait_for_line() {}
        let memory = running.peak_rss();
        let finished = running.finish();
        finished.assert_no_panic();
        assert_eq!(finished.code(), 2);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
        assert!(finished.stderr.len() < 500);
        assert!(memory < 300 << 20, "{memory} bytes");
    }
    assert!(began.elapsed() < Duration::from_secs(40));
}

#[test]
fn a_long_list_of_endpoints_is_no_attack() {
    let mut text = "endpoints:\n".to_owned();
    // Each with many parts, as files have them that a program wrote.
    let badges = vec!["50"; 100].join(", ");
    for index in 0..2_600 {
        writeln!(
            text,
            "- name: site {index}\n  url: https://example.org/{index}\n  \
             conditions: ['[STATUS] == 200']\n  ui: {{badge: [{badges}]}}"
        )
        .unwrap();
    }
    let imported = import("gatus", &[("config.yaml", &text)]);
    assert!(
        imported
            .said
            .starts_with("squirrel: 2,600 sites written, 0 left out")
    );
}

#[test]
fn characters_that_act_on_a_terminal_reach_neither_it_nor_the_file() {
    let yaml = "endpoints:\n- name: \"a\\e[2J\\x9b\\u202Eb\\nc\"\n  url: https://a.example\n  \
                group: \"\\e]0;x\\a\"\n  method: \"\\e[31mPOST\"\n  conditions: [\"\\e[5n == 1\"]\n\
                - name: \"\\e[2J\"\n  url: \"icmp://\\e[2J\"\n\"\\e[2J\": {\"\\x9b\": 1}\n";
    let imported = import("gatus", &[("config.yaml", yaml)]);
    imported.site("a [2J b c");
    let lists = import(
        "list",
        &[(
            "list",
            "https://a.example \u{1b}[2J\u{202e}name\nx\u{1b}[2J\n",
        )],
    );
    for imported in [&imported, &lists] {
        let text = imported.toml.replace('\n', "");
        assert_eq!(unsafe_characters(&text), Vec::<char>::new());
        assert_eq!(
            unsafe_characters(imported.said.trim_end()),
            Vec::<char>::new()
        );
    }
    // Nor where it is refused.
    let said = refused("gatus", &[("file", b"\"\\e[2J\": 1\n\"\\e[2J\": 2\n")]);
    assert_eq!(unsafe_characters(said.trim_end()), Vec::<char>::new());
}

#[test]
fn a_password_of_what_is_left_out_is_not_told() {
    let yaml = "endpoints:\n- {name: db, url: 'postgres://u:hush@h/'}\n\
                - {name: tcp, url: 'tcp://u:hush@h:1?token=hush'}\n\
                - {name: a, url: 'https://a.example'}\n";
    let imported = import("gatus", &[("config.yaml", yaml)]);
    assert_eq!(
        imported.left_out(),
        [
            "db: postgres://u:***@h/ is of no kind of check",
            "tcp: tcp://u:***@h:1 is of no kind of check"
        ]
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let said = refused("list", &[("bytes", b"https://a.example\n\xff\xfe\n")]);
    assert_eq!(said, "squirrel: bytes:2: not UTF-8 text\n");
    let squirrel = Squirrel::new();
    for path in ["missing", "."] {
        let finished = squirrel.run(["import", "list", path]);
        assert_eq!(finished.code(), 2);
        let expected = format!("squirrel: {path}: cannot be read: ");
        assert!(
            finished.stderr.starts_with(&expected),
            "{}",
            finished.stderr
        );
    }
    let finished = squirrel.run(["import", "nagios", "file"]);
    assert_eq!(finished.code(), 2);
    assert!(
        finished
            .stderr
            .contains("[possible values: kuma, gatus, blackbox, upptime, list]")
    );
}

#[test]
fn a_file_that_is_there_is_written_over_only_where_that_is_asked() {
    let squirrel = Squirrel::new();
    squirrel.write("urls", "https://u:secret@a.example\n");
    squirrel.write("sites.toml", "mine");
    let path = squirrel.dir().join("sites.toml");
    let words = ["import", "list", "urls", "--output", "sites.toml"];
    let finished = squirrel.run(words);
    assert_eq!(finished.code(), 2);
    assert_eq!(
        finished.stderr,
        "squirrel: sites.toml: it is there already; --force writes over it\n"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let finished = squirrel.run(words.into_iter().chain(["--force"]));
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(finished.stdout.is_empty());
    assert_eq!(squirrel.run(["config", "check"]).code(), 0);
    // A password may stand in it.
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let new = squirrel.run(["import", "list", "urls", "-o", "new.toml"]);
    assert_eq!(new.code(), 0, "{}", new.stderr);
    assert!(squirrel.dir().join("new.toml").exists());
    let left: Vec<_> = std::fs::read_dir(squirrel.dir())
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let nowhere = squirrel.run(["import", "list", "urls", "-o", "no/such/folder"]);
    assert_eq!(nowhere.code(), 2);
    assert!(
        nowhere.stderr.contains("cannot be written"),
        "{}",
        nowhere.stderr
    );
}
