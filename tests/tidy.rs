//! The rules of the house, held by reading the source: who may import whom, what stands
//! where, how large a file may be.

#[cfg(test)]
mod tidy {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Rooms, and the rooms that each may import. The table of `lib.rs`, and the order in
    /// which data flows.
    const ROOMS: [(&str, &[&str]); 20] = [
        ("domain", &[]),
        ("runtime", &["domain"]),
        ("config", &["domain"]),
        ("schedule", &["domain"]),
        ("probe", &["domain"]),
        ("trace", &["domain"]),
        ("paradigm", &["domain", "runtime", "probe", "trace"]),
        ("lab", &["domain", "probe", "trace", "paradigm"]),
        ("monitor", &["domain"]),
        ("alert", &["domain", "monitor"]),
        ("engine", &["domain", "schedule", "monitor", "alert"]),
        ("history", &["domain"]),
        ("notify", &["domain", "runtime", "history"]),
        ("metrics", &["domain", "runtime", "monitor"]),
        ("control", &["domain", "runtime"]),
        ("import", &["domain", "config"]),
        ("demo", &["domain"]),
        (
            "tui",
            &["domain", "monitor", "history", "trace", "paradigm", "lab"],
        ),
        (
            "app",
            &[
                "domain", "runtime", "config", "schedule", "probe", "trace", "paradigm", "lab",
                "monitor", "alert", "engine", "history", "notify", "metrics", "control", "demo",
                "tui",
            ],
        ),
        (
            "command",
            &[
                "domain", "runtime", "config", "schedule", "probe", "trace", "paradigm", "lab",
                "monitor", "alert", "engine", "history", "notify", "metrics", "control", "import",
                "demo", "tui", "app",
            ],
        ),
    ];

    /// Rooms that decide and do nothing: no clock, no thread, no file, no network.
    const PURE: [&str; 4] = ["schedule", "monitor", "alert", "engine"];

    /// What does not occur in them.
    const IMPURE: [&str; 8] = [
        "std::fs",
        "std::net::Tcp",
        "std::net::Udp",
        "std::thread",
        "std::process",
        "tokio",
        "SystemTime::now",
        "Instant::now",
    ];

    /// Crates, and the rooms that alone may know them.
    const CONFINED: [(&str, &[&str]); 10] = [
        ("ratatui", &["tui"]),
        ("vtparse", &["tui"]),
        ("reqwest", &["notify"]),
        ("minijinja", &["notify"]),
        ("hickory_proto", &["probe"]),
        ("rusqlite", &["history"]),
        ("redis", &["paradigm"]),
        ("toml_edit", &["config"]),
        ("clap", &["command"]),
        ("serde_saphyr", &["import"]),
    ];

    /// The most lines of code of a file, its tests not counted.
    const MOST_LINES: usize = 400;

    struct Source {
        path: PathBuf,
        room: String,
        /// Without comments and without tests.
        code: String,
        first_line: String,
        lines: usize,
    }

    fn sources() -> Vec<Source> {
        let mut sources = Vec::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut test_only = BTreeSet::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let text = fs::read_to_string(&path).unwrap();
                    test_only.extend(test_modules(&path, &text));
                    sources.push(read(path, &text));
                }
            }
        }
        sources.retain(|source| !test_only.iter().any(|only| source.path.starts_with(only)));
        assert!(sources.len() > 60, "only {} files found", sources.len());
        sources
    }

    /// Files and folders that exist for tests alone: `#[cfg(test)] mod name;`.
    fn test_modules(path: &Path, text: &str) -> Vec<PathBuf> {
        let folder = path.parent().unwrap();
        text.split("#[cfg(test)]\n")
            .skip(1)
            .filter_map(|rest| rest.lines().next()?.strip_prefix("mod ")?.strip_suffix(';'))
            .flat_map(|name| [folder.join(name), folder.join(format!("{name}.rs"))])
            .collect()
    }

    fn read(path: PathBuf, text: &str) -> Source {
        let relative = path
            .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
            .unwrap()
            .to_owned();
        let room = match relative.components().next() {
            Some(first) if relative.components().count() > 1 => {
                first.as_os_str().to_string_lossy().into_owned()
            }
            _ => String::new(),
        };
        let before_tests = text
            .split("\n#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let code: String = before_tests
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect();
        Source {
            room,
            first_line: text.lines().next().unwrap_or_default().to_owned(),
            lines: before_tests.lines().count(),
            code,
            path,
        }
    }

    /// The rooms that a piece of code names.
    fn rooms_named(code: &str) -> BTreeSet<&'static str> {
        let mut named = BTreeSet::new();
        for (room, _) in ROOMS {
            let direct = code.contains(&format!("crate::{room}::"))
                || code.contains(&format!("crate::{room};"));
            // `use crate::{a::X, b::Y}`
            let grouped = code.split("use crate::{").skip(1).any(|rest| {
                let list = rest.split_once("};").map_or(rest, |(list, _)| list);
                list.split([',', '{', ' ', '\n'])
                    .any(|part| part == room || part.starts_with(&format!("{room}::")))
            });
            if direct || grouped {
                named.insert(room);
            }
        }
        named
    }

    #[test]
    fn imports_run_downward_only() {
        let allowed: BTreeMap<_, _> = ROOMS.into_iter().collect();
        let mut complaints = Vec::new();
        for source in sources() {
            let Some(may) = allowed.get(source.room.as_str()) else {
                assert!(
                    source.room.is_empty(),
                    "{} is no room of the map",
                    source.room
                );
                continue;
            };
            for room in rooms_named(&source.code) {
                if room != source.room && !may.contains(&room) {
                    complaints.push(format!("{} imports {room}", source.path.display()));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// What the screen may know of the history: plain rows, by which it is told what to show.
    const ROWS: [&str; 8] = [
        "DeliveryState",
        "FileStats",
        "MessageStatus",
        "OutageRow",
        "OutboxCounts",
        "QueuedMessage",
        "RawCheck",
        "SiteChecks",
    ];

    #[test]
    fn the_screen_knows_plain_rows_of_the_history_and_nothing_else() {
        let mut complaints = Vec::new();
        for source in sources().iter().filter(|source| source.room == "tui") {
            for rest in source.code.split("crate::history::").skip(1) {
                let list = rest.strip_prefix('{').unwrap_or(rest);
                let list = match rest.strip_prefix('{') {
                    Some(_) => list.split('}').next().unwrap_or_default(),
                    None => list
                        .split(|c: char| !c.is_alphanumeric())
                        .next()
                        .unwrap_or_default(),
                };
                for name in list
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                {
                    if !ROWS.contains(&name) {
                        complaints.push(format!("{} knows {name}", source.path.display()));
                    }
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn the_rule_finds_what_it_looks_for() {
        let code = "use crate::{domain::Job, tui::Ui};\nlet x = crate::app::run();";
        assert_eq!(rooms_named(code), BTreeSet::from(["app", "domain", "tui"]));
        assert!(rooms_named("use crate::domains::X;").is_empty());
    }

    #[test]
    fn crates_stay_in_their_rooms() {
        let mut complaints = Vec::new();
        for source in sources() {
            for (name, rooms) in CONFINED {
                let uses = source.code.contains(&format!("{name}::"))
                    || source.code.contains(&format!("use {name}"));
                if uses && !rooms.contains(&source.room.as_str()) {
                    complaints.push(format!("{} knows {name}", source.path.display()));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn pure_rooms_do_nothing() {
        let mut complaints = Vec::new();
        for source in sources() {
            for word in IMPURE {
                if PURE.contains(&source.room.as_str()) && source.code.contains(word) {
                    complaints.push(format!("{}: {word}", source.path.display()));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn the_broker_is_known_to_one_paradigm_alone() {
        let folder = Path::new("paradigm/celery");
        for source in sources() {
            let path = source
                .path
                .strip_prefix(env!("CARGO_MANIFEST_DIR"))
                .unwrap();
            let inside = path.strip_prefix("src").unwrap().starts_with(folder);
            let knows = source.code.contains("redis::") || source.code.contains("use redis");
            assert!(inside || !knows, "{} knows redis", path.display());
        }
    }

    #[test]
    fn every_file_says_what_it_is_for_and_stays_small() {
        let mut complaints = Vec::new();
        for source in sources() {
            if !source.first_line.starts_with("//! ") {
                complaints.push(format!("{} begins without //!", source.path.display()));
            }
            if source.lines > MOST_LINES {
                complaints.push(format!("{}: {} lines", source.path.display(), source.lines));
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn drawing_reads_and_never_writes() {
        for source in sources().iter().filter(|source| source.room == "tui") {
            for signature in source.code.split("fn draw").skip(1) {
                let parameters = signature.split(')').next().unwrap_or_default();
                let (_, parameters) = parameters.split_once('(').unwrap_or_default();
                let writes =
                    parameters.contains("&mut self") || parameters.contains("&mut UiState");
                // The terminal and the diff of frames call the drawing; they draw nothing themselves.
                let sends = ["terminal.rs", "frame_diff.rs"]
                    .iter()
                    .any(|name| source.path.ends_with(name));
                let notes = signature.starts_with("n(");
                assert!(
                    !writes || sends || notes,
                    "{}: fn draw{}",
                    source.path.display(),
                    signature.lines().next().unwrap_or_default()
                );
            }
        }
    }

    /// No two files of a room import each other. A room's `mod.rs` only names the others.
    #[test]
    fn no_two_files_import_each_other() {
        let sources = sources();
        let name = |source: &Source| {
            source
                .path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let mut complaints = Vec::new();
        for one in &sources {
            for other in &sources {
                let siblings = one.path.parent() == other.path.parent();
                if !siblings || one.path >= other.path || name(one) == "mod" || name(other) == "mod"
                {
                    continue;
                }
                let names = |from: &Source, to: &Source| {
                    let to = name(to);
                    let direct = from.code.contains(&format!("super::{to}::"))
                        || from.code.contains(&format!("super::{to};"));
                    direct
                        || from.code.split("use super::{").skip(1).any(|rest| {
                            let list = rest.split_once("};").map_or(rest, |(list, _)| list);
                            list.split([',', '{', ' ', '\n'])
                                .any(|part| part == to || part.starts_with(&format!("{to}::")))
                        })
                };
                if names(one, other) && names(other, one) {
                    complaints.push(format!(
                        "{} and {} import each other",
                        one.path.display(),
                        other.path.display()
                    ));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// Words that follow a value, end in "s" and count nothing: verbs, particles, units.
    const COUNT_NOTHING: [&str; 19] = [
        "gains", "goes", "runs", "waits", "counts", "ms", "s", "answers", "as", "discards", "ends",
        "fails", "has", "holds", "is", "refuses", "stands", "stays", "was",
    ];

    /// Words between a value and a noun that is not counted by it.
    const PARTICLES: [&str; 15] = [
        "though", "a", "and", "are", "at", "by", "for", "from", "in", "not", "of", "on", "or",
        "the", "to",
    ];

    /// The nouns that are given to `plural` and `noun_of`, as plurals that end in "s".
    fn counted_nouns(sources: &[Source]) -> BTreeSet<String> {
        let mut nouns = BTreeSet::new();
        for source in sources {
            for rest in source.code.split("plural(").skip(1) {
                let argument = rest.split(';').next().unwrap_or_default();
                let noun = argument.split('"').nth(1).unwrap_or_default();
                if let Some(noun) = noun.split(' ').next_back().filter(|noun| !noun.is_empty()) {
                    nouns.insert(format!("{noun}s"));
                }
            }
        }
        nouns
    }

    /// The plurals that a piece of code builds by hand: `{} sites`, `{n} good checks`,
    /// `if n == 1 { "site" } else { "sites" }`. A number with a decimal is never 1.
    fn plurals_by_hand(code: &str, nouns: &BTreeSet<String>) -> Vec<String> {
        let mut found = Vec::new();
        for (place, _) in code.match_indices("} ") {
            let Some((_, value)) = code[..place].rsplit_once('{') else {
                continue;
            };
            let is_value = value
                .chars()
                .all(|c| c.is_alphanumeric() || "_.:".contains(c));
            let has_decimal = value
                .split_once(":.")
                .is_some_and(|(_, digits)| digits != "0");
            if !is_value || has_decimal {
                continue;
            }
            let is_word = |c: char| c.is_ascii_lowercase() || c == '-';
            let mut words = code[place + 2..].split(' ').map(|word| {
                let end = word.find(|c| !is_word(c)).unwrap_or(word.len());
                (&word[..end], end == word.len())
            });
            let Some((first, is_followed)) = words.next() else {
                continue;
            };
            if code[place + 2..].starts_with('{') {
                let noun = code[place + 2..].split_once('}');
                let ending = noun.map_or("", |(_, ending)| ending);
                if ending.starts_with("s ") || ending.starts_with("s\"") {
                    found.push(format!("{{{value}}} {{}}s"));
                }
            }
            if first.ends_with('s') && !COUNT_NOTHING.contains(&first) {
                found.push(format!("{{{value}}} {first}"));
            }
            let is_adjective = !PARTICLES.contains(&first) && !COUNT_NOTHING.contains(&first);
            if let Some((second, _)) = words.next().filter(|_| is_followed && is_adjective)
                && nouns.contains(second)
            {
                found.push(format!("{{{value}}} {first} {second}"));
            }
        }
        let dense: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
        for (place, _) in dense.match_indices("\" } else { \"") {
            let one = dense[..place].rsplit('"').next().unwrap_or_default();
            let other = dense[place + 12..].split('"').next().unwrap_or_default();
            let endings = ["s", "es"].map(|ending| format!("{one}{ending}"));
            if endings.iter().any(|plural| plural == other) {
                found.push(format!("\"{one}\" or \"{other}\""));
            }
        }
        found
    }

    #[test]
    fn plurals_built_by_hand_are_found() {
        let nouns = BTreeSet::from(["checks".to_owned()]);
        let by_hand = |code: &str| plurals_by_hand(code, &nouns).len();
        assert_eq!(by_hand(r#"format!("{} sites", n)"#), 1);
        assert_eq!(by_hand(r#"format!("{n:>4} good checks", n)"#), 0);
        assert_eq!(by_hand(r#"format!("{n} good checks", n)"#), 1);
        assert_eq!(by_hand(r#"if n == 1 { "site" } else { "sites" }"#), 1);
        assert_eq!(by_hand(r#"format!("{n} {one}s")"#), 1);
        assert_eq!(by_hand(r#"if n == 1 { "" } else { "s" }"#), 1);
        assert_eq!(by_hand(r#"format!("{days:.0} days")"#), 1);
        assert_eq!(
            by_hand(r#"format!("{days:.1} days, {name} is by {name} checks")"#),
            1
        );
        assert_eq!(
            by_hand(r#"format!("{name} holds checks of {} in checks")"#),
            0
        );
    }

    /// "1 sites" is nowhere: whoever counts asks `domain::plural` for the noun.
    #[test]
    fn no_text_builds_a_plural_by_hand() {
        let sources = sources();
        let nouns = counted_nouns(&sources);
        assert!(nouns.len() > 20, "{nouns:?}");
        let mut complaints = Vec::new();
        for source in sources {
            for text in plurals_by_hand(&source.code, &nouns) {
                complaints.push(format!("{}: {text}", source.path.display()));
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// Times are written by one file: what is written elsewhere would have another form.
    #[test]
    fn times_have_one_form() {
        for source in sources() {
            let writes = source.code.contains(".strftime(");
            let is_the_one = source.path.ends_with("src/domain/time_format.rs");
            assert_eq!(writes, is_the_one, "{}", source.path.display());
        }
    }
}
