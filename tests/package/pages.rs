//! Manual pages and completions: what a package installs beside the binary.

use std::process::Command;

use crate::support::Squirrel;

/// A page as `man` shows it; fails if it complains.
fn shown(page: &std::path::Path) -> String {
    let output = Command::new("man")
        .args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8"])
        .arg(page)
        .env("MANWIDTH", "100")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("man is needed: tests/run installs it");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{complaints}"
    );
    // Bold and underlined text is struck over.
    let mut plain = String::new();
    for c in String::from_utf8(output.stdout).unwrap().chars() {
        if c == '\u{8}' {
            plain.pop();
        } else {
            plain.push(c);
        }
    }
    plain
}

#[test]
fn every_command_that_the_help_names_has_a_page_that_man_can_show() {
    let squirrel = Squirrel::new();
    let finished = squirrel.run(["man", "--folder", "pages"]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(finished.stdout.is_empty());
    let main = shown(&squirrel.dir().join("pages/squirrel.1"));
    for section in [
        "NAME",
        "SYNOPSIS",
        "OPTIONS",
        "SUBCOMMANDS",
        "EXIT STATUS",
        "FILES",
        "ENVIRONMENT",
        "SIGNALS",
    ] {
        assert!(main.lines().any(|line| line.contains(section)), "{section}");
    }
    assert!(main.contains("squirrel check --format json | jq ."));
    let help = String::from_utf8(squirrel.run(["--help"]).stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<_> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        // A line that goes on is further in.
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() > 9 && commands.contains(&"import"));
    for command in &commands {
        assert!(
            main.contains(&format!("squirrel-{command}(1)")),
            "{command}"
        );
        let page = format!("pages/squirrel-{command}.1");
        assert!(shown(&squirrel.dir().join(page)).contains("SYNOPSIS"));
    }
    // What is hidden from the help is no command for people.
    assert!(!squirrel.dir().join("pages/squirrel-demo-sites.1").exists());
    assert!(!main.contains("squirrel-demo-sites"));
}

#[test]
fn the_page_of_the_program_goes_to_standard_output() {
    let squirrel = Squirrel::new();
    let finished = squirrel.run(["man"]);
    assert_eq!(finished.code(), 0);
    squirrel.run(["man", "--folder", "pages"]);
    let page = std::fs::read(squirrel.dir().join("pages/squirrel.1")).unwrap();
    assert_eq!(finished.stdout, page);
    squirrel.write("file", "");
    let refused = squirrel.run(["man", "--folder", "file"]);
    assert_eq!(refused.code(), 2);
    assert!(
        refused
            .stderr
            .starts_with("squirrel: file: the folder cannot be made: ")
    );
}

#[test]
fn completions_know_the_commands_and_their_options() {
    let squirrel = Squirrel::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let finished = squirrel.run(["completions", shell]);
        assert_eq!(finished.code(), 0);
        let script = String::from_utf8(finished.stdout).unwrap();
        for word in ["import", "watch", "metrics"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    squirrel.write("script", squirrel.run(["completions", "bash"]).stdout);
    let parsed = Command::new("bash")
        .args(["-n", "script"])
        .current_dir(squirrel.dir())
        .status()
        .unwrap();
    assert!(parsed.success());
}
