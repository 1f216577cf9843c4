//! Manual pages and completions: what a package installs beside the binary.

use std::process::Command;

use crate::support::Squirrel;

/// A page as `man` shows it; fails if it complains.
fn shown(page: &std::path::Path) -> String {
    let output = Command::new("man")
        .args(["--warnings", "--nh", "--nj", "-E", "UTF-8", "-l", "-Tutf8"])
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
fn the_configuration_has_a_page_that_names_every_key() {
    let squirrel = Squirrel::new();
    squirrel.run(["man", "--folder", "pages"]);
    let page = shown(&squirrel.dir().join("pages/sites.toml.5"));
    for section in [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "KEYS",
        "EXAMPLE",
        "SEE ALSO",
    ] {
        assert!(page.lines().any(|line| line == section), "{section}");
    }
    let words: Vec<_> = page.split_whitespace().collect();
    for table in uptime_squirrel::config::reference(&uptime_squirrel::notify::KNOWN_CHANNELS) {
        assert!(page.contains(table.header), "{}", table.header);
        for key in table.keys {
            assert!(words.contains(&&*key.key), "{}", key.key);
        }
    }
    let dense = words.join(" ");
    assert!(dense.contains(
        "raw How long every single result is kept (duration, 1ms or more; default: \"7d\")."
    ));
    let printed = squirrel.run(["man", "sites.toml"]);
    let page = std::fs::read(squirrel.dir().join("pages/sites.toml.5")).unwrap();
    assert_eq!((printed.code(), printed.stdout), (0, page));
    assert_eq!(squirrel.run(["man", "nonsense"]).code(), 2);
    assert_eq!(
        squirrel.run(["man", "sites.toml", "--folder", "x"]).code(),
        2
    );
}

#[test]
fn completions_are_scripts_of_every_shell() {
    let squirrel = Squirrel::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let finished = squirrel.run(["completions", shell]);
        assert_eq!(finished.code(), 0);
        let script = String::from_utf8(finished.stdout).unwrap();
        assert!(script.contains("SQUIRREL_COMPLETE"), "{shell}: {script}");
        // Wherever the program was when it was asked, the script finds it as the shell does.
        assert!(!script.contains("/squirrel"), "{shell}: {script}");
    }
}

/// What bash offers for the last of these words.
fn offered(squirrel: &Squirrel, words: &[&str]) -> Vec<String> {
    let script = r#"
        set -e
        program=$1; shift
        hash -p "$program" squirrel
        source <("$program" completions bash)
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        COMP_TYPE=9
        _clap_complete_squirrel squirrel "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}" || true
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args([
            "-c",
            script,
            "bash",
            env!("CARGO_BIN_EXE_squirrel"),
            "squirrel",
        ])
        .args(words)
        .current_dir(squirrel.dir())
        .env("XDG_CONFIG_HOME", squirrel.dir())
        .env("XDG_STATE_HOME", squirrel.dir())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let offered = String::from_utf8(output.stdout).unwrap();
    offered.lines().map(str::to_owned).collect()
}

#[test]
fn completions_know_commands_options_and_the_names_of_the_configuration() {
    let squirrel = Squirrel::new();
    let list = |owner: &str| {
        format!(
            "[owners.{owner}]\npush = \"x\"\n[owners.boss]\npush = \"y\"\n\
             [[sites]]\nname = \"My shop\"\nurl = \"https://shop.invalid/\"\ntags = [\"web\"]\n\
             [[sites]]\nname = \"mail\"\nurl = \"https://u:secret@mail.invalid/\"\n\
             tags = [\"web\", \"internal\"]\n"
        )
    };
    squirrel.write("sites.toml", list("ops"));
    squirrel.write("other.toml", list("night"));
    let offered = |words: &[&str]| offered(&squirrel, words);
    assert!(offered(&["imp"]).contains(&"import".to_owned()));
    assert!(offered(&["watch", "--met"]).contains(&"--metrics".to_owned()));
    assert_eq!(offered(&["completions", "ba"]), ["bash"]);
    assert_eq!(offered(&["notify", "test", ""])[..2], ["boss", "ops"]);
    assert_eq!(offered(&["notify", "test", "o"]), ["ops"]);
    assert_eq!(
        offered(&["notify", "test", "--config", "other.toml", "n"]),
        ["night"]
    );
    assert_eq!(offered(&["report", "--owner", "b"]), ["boss"]);
    assert_eq!(offered(&["report", "--tag", ""]), ["internal", "web"]);
    // A blank would end the word.
    assert_eq!(offered(&["report", "--site", ""]), [r"My\ shop", "mail"]);
    assert_eq!(offered(&["pause", "m"]), ["mail"]);
    let both = [r"My\ shop", "mail", "tag:internal", "tag:web"];
    assert_eq!(offered(&["maintenance", ""])[..4], both);
    // A URL with a password is not put into the command line.
    assert_eq!(offered(&["check", "http"]), ["https://shop.invalid/"]);
    squirrel.write("sites.toml", "[[sites");
    assert_eq!(offered(&["notify", "test", "o"]), [""]);
}
