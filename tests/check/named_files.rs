//! Files that a configuration names: secrets, lists and certificates that are not there, or that
//! are pipes and devices, which have no end or never begin.

use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::support::Squirrel;

const SITE: &str = "[[sites]]\nurl = \"http://127.0.0.1:1/\"\nowners = [\"ops\"]\n";

const OWNER: &str = "[owners.ops]\npush = \"ops\"\n";

/// A home with a pipe that nobody writes to, a folder and an empty file.
fn home() -> Squirrel {
    let squirrel = Squirrel::new();
    let mode = Mode::RUSR | Mode::WUSR;
    mkfifoat(CWD, squirrel.dir().join("pipe"), mode).unwrap();
    std::fs::create_dir(squirrel.dir().join("folder")).unwrap();
    squirrel.write("empty", "\n");
    squirrel.write("latin1", b"caf\xe9");
    squirrel
}

/// Fails unless these commands refuse the file with exit status 2 and this one line.
fn refused(squirrel: &Squirrel, text: &str, commands: &[&str], line: &str) {
    squirrel.write("sites.toml", text);
    for command in commands {
        let words = command.split(' ');
        let finished = squirrel.run(words.chain(["--config", "sites.toml"]));
        finished.assert_no_panic();
        assert_eq!(finished.stderr.trim_end(), line, "{command}\n{text}");
        assert_eq!(finished.code(), 2, "{command}\n{text}");
        assert!(finished.stdout.is_empty());
    }
}

const MONITORS: [&str; 2] = ["config check", "watch --history none"];

#[test]
fn a_secret_that_cannot_be_read_is_a_mistake_where_owners_are_told() {
    let squirrel = home();
    let with = |secret: &str| format!("{OWNER}[notify.push]\ntoken = {{ {secret} }}\n{SITE}");
    for (secret, column, key, why) in [
        (
            "env = \"NTFY_TOKEN\"",
            17,
            "env",
            "the environment variable NTFY_TOKEN is not set",
        ),
        (
            "env = \"hunter2\"",
            17,
            "env",
            "the environment variable of this name is not set",
        ),
        (
            "file = \"hunter2\"",
            18,
            "file",
            "the file cannot be read: there is no such file",
        ),
        (
            "file = \"pipe\"",
            18,
            "file",
            "the file cannot be read: it is not a regular file",
        ),
        (
            "file = \"/dev/zero\"",
            18,
            "file",
            "the file cannot be read: it is not a regular file",
        ),
        (
            "file = \"folder\"",
            18,
            "file",
            "the file cannot be read: it is a folder",
        ),
        ("file = \"empty\"", 18, "file", "the file is empty"),
        (
            "file = \"latin1\"",
            18,
            "file",
            "the file is not UTF-8 text",
        ),
    ] {
        let line = format!("sites.toml:4:{column}: notify.push.token.{key}: {why}");
        refused(&squirrel, &with(secret), &MONITORS, &line);
    }
    // A sweep tells nobody.
    let finished = squirrel.run(["check", "--config", "sites.toml"]);
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
}

#[test]
fn lists_and_certificates_that_are_pipes_or_devices_are_refused_and_not_waited_for() {
    let squirrel = home();
    let commands = ["config check", "watch --history none", "check"];
    for (name, why) in [
        ("pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        ("folder", "it is a folder"),
    ] {
        let text = format!("[monitor]\ninclude = [\"{name}\"]\n{OWNER}{SITE}");
        let line = format!("squirrel: {name}: cannot be read: {why}");
        refused(&squirrel, &text, &commands, &line);
        let text = format!("[monitor]\nca_file = \"{name}\"\n{OWNER}{SITE}");
        let line =
            format!("sites.toml:2:11: monitor.ca_file: the file \"{name}\" cannot be read: {why}");
        refused(&squirrel, &text, &commands, &line);
    }
    let text = format!("[monitor]\nca_file = \"empty\"\n{OWNER}{SITE}");
    let line = "sites.toml:2:11: monitor.ca_file: the file \"empty\" holds no certificate in PEM";
    refused(&squirrel, &text, &commands, line);
}

#[test]
fn a_configuration_from_a_pipe_is_read_to_its_end_and_one_without_end_is_refused() {
    let squirrel = home();
    let pipe = squirrel.dir().join("pipe");
    let text = format!("{OWNER}{SITE}");
    let running = squirrel.start(["config", "check", "--config", "pipe"]);
    // Opening waits for the reader.
    std::fs::write(&pipe, text).unwrap();
    let finished = running.finish();
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(
        String::from_utf8(finished.stdout).unwrap(),
        "pipe: in order: 1 site, 1 owner\n"
    );
    let finished = squirrel.run(["config", "check", "--config", "/dev/zero"]);
    assert_eq!(finished.code(), 2);
    let line = "squirrel: /dev/zero: cannot be read: it is larger than 64 MiB";
    assert_eq!(finished.stderr.trim_end(), line);
    // Nobody writes to it.
    let silent = squirrel.run(["config", "check", "--config", "pipe"]);
    assert_eq!(silent.code(), 2);
    let line = "squirrel: pipe: cannot be read: it has no end after 30 s";
    assert_eq!(silent.stderr.trim_end(), line);
    assert!(Path::new(&pipe).exists());
}
