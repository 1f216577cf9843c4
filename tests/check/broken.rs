//! Every broken sites.toml gives exit status 2, one line a mistake, and no panic.
//!
//! The files are in `tests/scenarios/broken/`. A file begins with lines of the form
//! `# expect LINE KEY: WORDS`: a message must name that line and that key and hold the words,
//! or one of them where `|` stands between. `# never WORDS` must not be shown.

use std::path::PathBuf;

use crate::support::{Squirrel, scenarios_dir, unsafe_characters};

struct Expected {
    line: String,
    key: String,
    words: String,
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(scenarios_dir().join("broken"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn expected(text: &str) -> Vec<Expected> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# expect "))
        .map(|rest| {
            let (place, words) = rest.split_once(':').unwrap();
            let (line, key) = place.split_once(' ').unwrap_or((place, ""));
            Expected {
                line: line.to_owned(),
                key: key.to_owned(),
                words: words.trim().to_owned(),
            }
        })
        .collect()
}

/// Whether `message` is `sites.toml:LINE:COLUMN: KEY: SENTENCE` as expected.
fn says(message: &str, expected: &Expected) -> bool {
    let mut parts = message.splitn(4, ':');
    let (file, line) = (parts.next(), parts.next());
    let column = parts
        .next()
        .is_some_and(|column| column.parse::<u32>().is_ok_and(|c| c > 0));
    let rest = parts.next().unwrap_or_default().trim_start().to_lowercase();
    let key = expected.key.to_lowercase();
    file == Some("sites.toml")
        && line == Some(&expected.line)
        && column
        && (key.is_empty() || rest.starts_with(&format!("{key}:")))
        && expected
            .words
            .split('|')
            .any(|word| rest.contains(&word.to_lowercase()))
}

#[test]
fn every_broken_file_is_refused_with_its_place() {
    let files = files();
    assert!(files.len() >= 25, "only {} files", files.len());
    let mut wrong = Vec::new();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = expected(&text);
        assert!(!expected.is_empty(), "{name} expects nothing");
        let squirrel = Squirrel::new();
        squirrel.write("sites.toml", &text);
        let finished = squirrel.run(["check", "--config", "sites.toml", "--format", "json"]);
        finished.assert_no_panic();
        let said = &finished.stderr;
        if finished.status.code() != Some(2) {
            wrong.push(format!(
                "{name}: {:?}, not exit status 2\n{said}",
                finished.status
            ));
        }
        for one in &expected {
            if !said.lines().any(|message| says(message, one)) {
                wrong.push(format!(
                    "{name}: no line {} {}: {}\n{said}",
                    one.line, one.key, one.words
                ));
            }
        }
        let messages = said
            .lines()
            .filter(|line| line.starts_with("sites.toml:"))
            .count();
        if messages != expected.len() {
            wrong.push(format!(
                "{name}: {messages} mistakes, not {}\n{said}",
                expected.len()
            ));
        }
        for secret in text
            .lines()
            .filter_map(|line| line.strip_prefix("# never "))
        {
            if said.contains(secret) {
                wrong.push(format!("{name}: {secret} was shown\n{said}"));
            }
        }
        if !unsafe_characters(said).is_empty() {
            wrong.push(format!("{name}: control characters in {said:?}"));
        }
        if !finished.stdout.is_empty() {
            wrong.push(format!("{name}: something on standard output"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} mistakes:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn only_the_first_twenty_mistakes_are_shown() {
    let squirrel = Squirrel::new();
    let site = "[[sites]]\nurl = \"ftp://127.0.0.1/\"\n";
    squirrel.write("sites.toml", site.repeat(25));
    let finished = squirrel.run(["check", "--config", "sites.toml"]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 2);
    let lines = finished
        .stderr
        .lines()
        .filter(|line| line.starts_with("sites.toml:"));
    assert_eq!(lines.count(), 20, "{}", finished.stderr);
}

#[test]
fn control_characters_of_the_file_are_not_shown() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nurl = \"http://a/\"\n\"ke\\u001b[31my\u{202e}\" = 1\n",
    );
    let finished = squirrel.run(["check", "--config", "sites.toml"]);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 2);
    assert!(
        unsafe_characters(&finished.stderr).is_empty(),
        "{:?}",
        finished.stderr
    );
}
