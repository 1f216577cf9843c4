//! The documents say what the program does: the parts that the program can write itself are
//! compared, or written anew with `BLESS=1`; every link leads somewhere, every example of a
//! configuration is one, and every command line is understood.

#[cfg(test)]
mod readme {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fmt::Write as _;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use uptime_squirrel::{config, notify, paradigm, tui};

    const README_LINES: usize = 200;
    /// Two printed pages.
    const CONTRIBUTING_LINES: usize = 110;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn read(path: &str) -> String {
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Paths of all documents, relative to the repository, and their text.
    fn documents() -> BTreeMap<String, String> {
        let mut paths = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
        for entry in fs::read_dir(root().join("docs")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name.ends_with(".md"), "docs/{name} is no document");
            paths.push(format!("docs/{name}"));
        }
        assert!(paths.len() > 10, "{paths:?}");
        let texts = paths.into_iter().map(|path| {
            let text = read(&path);
            (path, text)
        });
        texts.collect()
    }

    /// A block between fences: the word behind the first fence, and what stands within.
    struct Block {
        language: String,
        text: String,
    }

    /// The prose of a document, without blocks, and its blocks.
    fn parts(document: &str) -> (String, Vec<Block>) {
        let (mut prose, mut blocks) = (String::new(), Vec::new());
        let mut open: Option<Block> = None;
        for line in document.lines() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(language), None) => {
                    open = Some(Block {
                        language: language.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {
                    prose.push_str(line);
                    prose.push('\n');
                }
            }
        }
        assert!(open.is_none(), "a block is not closed");
        (prose, blocks)
    }

    fn blocks_of(language: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (path, document) in documents() {
            let blocks = parts(&document).1.into_iter();
            found.extend(
                blocks
                    .filter(|block| block.language == language)
                    .map(|block| (path.clone(), block.text)),
            );
        }
        assert!(!found.is_empty(), "no {language} block in any document");
        found
    }

    /// Where the part between the marks called `name` begins and ends.
    fn part(document: &str, name: &str) -> (usize, usize) {
        let mark = document.find(&format!("<!-- {name}:")).unwrap();
        let begin = mark + document[mark..].find("-->\n").unwrap() + 4;
        let end = begin
            + document[begin..]
                .find(&format!("<!-- /{name} -->"))
                .unwrap();
        (begin, end)
    }

    /// The part `name` of a document is what the program says, or becomes so with `BLESS=1`.
    fn holds(path: &str, name: &str, expected: &str) {
        let document = read(path);
        let expected = format!("\n{}\n\n", expected.trim());
        let (begin, end) = part(&document, name);
        if document[begin..end] == expected {
            return;
        }
        assert!(
            std::env::var_os("BLESS").is_some(),
            "{path}: the {name} are not the program's; BLESS=1 cargo test --test readme"
        );
        let blessed = format!("{}{expected}{}", &document[..begin], &document[end..]);
        fs::write(root().join(path), blessed).unwrap();
    }

    #[test]
    fn paradigms_are_those_of_the_program() {
        let mut table = "| key | name | what it is | a sweep |\n|---|---|---|---|\n".to_owned();
        for entry in &paradigm::ALL {
            let label = &entry.label;
            let law = label.law.words();
            writeln!(
                table,
                "| `{}` | `{}` | {} | {law} |",
                label.key, label.name, label.summary
            )
            .unwrap();
        }
        holds("docs/concurrency.md", "paradigms", &table);
    }

    #[test]
    fn keys_are_those_of_the_program() {
        let keys = tui::keys_markdown(&paradigm::labels());
        holds("docs/keys.md", "keys", &keys);
    }

    /// The names of metrics stand as literals in their room.
    #[test]
    fn metrics_are_those_of_the_program() {
        let mut exported = BTreeSet::new();
        for entry in fs::read_dir(root().join("src/metrics")).unwrap() {
            let source = fs::read_to_string(entry.unwrap().path()).unwrap();
            let code = source.split("mod tests {").next().unwrap();
            for mark in ["\"probe_", "\"squirrel_"] {
                let names = code.split(mark).skip(1).map(|rest| {
                    let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '_');
                    format!("{}{}", &mark[1..], &rest[..end.unwrap_or(rest.len())])
                });
                exported.extend(names);
            }
        }
        let document = read("docs/metrics.md");
        let (begin, end) = part(&document, "metrics");
        let documented: BTreeSet<String> = document[begin..end]
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .map(str::to_owned)
            .collect();
        assert_eq!(documented, exported);
    }

    #[test]
    fn the_readme_and_contributing_are_short() {
        for (path, most) in [
            ("README.md", README_LINES),
            ("CONTRIBUTING.md", CONTRIBUTING_LINES),
        ] {
            let lines = read(path).lines().count();
            assert!(lines <= most, "{path}: {lines} lines, at most {most}");
        }
    }

    #[test]
    fn two_commands_are_enough_on_a_fresh_machine() {
        let readme = read("README.md");
        let (_, rest) = readme.split_once("\n## Two commands\n").unwrap();
        let block = &parts(rest.split("\n## ").next().unwrap()).1[0].text;
        let commands: Vec<&str> = block
            .lines()
            .map(|line| line.split('#').next().unwrap().trim())
            .collect();
        assert_eq!(commands, ["cargo run --release", "tests/run"]);
    }

    /// The text of a heading as GitHub makes an anchor of it.
    fn anchor(heading: &str) -> String {
        heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    }

    #[test]
    fn every_link_leads_somewhere() {
        let documents = documents();
        let anchors: BTreeMap<&String, BTreeSet<String>> = documents
            .iter()
            .map(|(path, document)| {
                let prose = parts(document).0;
                let headings = prose.lines().filter(|line| line.starts_with('#'));
                let anchors = headings.map(|line| anchor(line.trim_start_matches('#')));
                (path, anchors.collect())
            })
            .collect();
        let mut complaints = Vec::new();
        let mut linked = BTreeSet::new();
        for (path, document) in &documents {
            let folder = Path::new(path).parent().unwrap();
            let prose = parts(document).0;
            for link in prose.split("](").skip(1).filter_map(|rest| {
                let end = rest.find(')')?;
                Some(&rest[..end])
            }) {
                if link.starts_with("https://") {
                    continue;
                }
                let (file, wanted) = match link.split_once('#') {
                    Some((file, wanted)) => (file, Some(wanted)),
                    None => (link, None),
                };
                let target = if file.is_empty() {
                    path.clone()
                } else {
                    normal(&folder.join(file))
                };
                if !root().join(&target).exists() {
                    complaints.push(format!("{path}: there is no {link}"));
                } else if let Some(wanted) = wanted
                    && !anchors
                        .get(&target)
                        .is_some_and(|anchors| anchors.contains(wanted))
                {
                    complaints.push(format!("{path}: {target} has no heading for #{wanted}"));
                }
                linked.insert((path.as_str(), target));
            }
        }
        for path in documents.keys().filter(|path| *path != "README.md") {
            if !linked.contains(&("README.md", path.clone())) {
                complaints.push(format!("README.md does not lead to {path}"));
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// A relative path without `..`, as in `docs/../contrib`.
    fn normal(path: &Path) -> String {
        let mut parts: Vec<&str> = Vec::new();
        for part in path.iter().map(|part| part.to_str().unwrap()) {
            match part {
                "." => {}
                ".." => assert!(parts.pop().is_some(), "{} leads out", path.display()),
                part => parts.push(part),
            }
        }
        parts.join("/")
    }

    #[test]
    fn every_picture_is_shown() {
        let shown: String = documents().into_values().collect();
        for entry in fs::read_dir(root().join("contrib/pictures")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".svg") {
                assert!(
                    shown.contains(&format!("contrib/pictures/{name})")),
                    "{name}"
                );
            }
        }
    }

    fn load(toml: &str) -> config::Config {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sites.toml");
        fs::create_dir(folder.path().join("lists")).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = rcgen::CertificateParams::default().self_signed(&key);
        let pem = authority.unwrap().pem();
        fs::write(folder.path().join("extra-ca.pem"), pem).unwrap();
        fs::write(&file, toml).unwrap();
        let names = paradigm::names();
        let known = config::KnownNames {
            paradigms: &names,
            channels: &notify::KNOWN_CHANNELS,
        };
        config::load(&file, &known, config::SecretUse::Unused)
            .unwrap_or_else(|mistakes| panic!("{toml}\n{mistakes}"))
    }

    #[test]
    fn every_example_of_a_configuration_is_in_order() {
        let blocks = blocks_of("toml");
        assert!(blocks.len() > 4, "{}", blocks.len());
        for (path, block) in blocks {
            let sites = block.matches("[[sites]]").count();
            // An example of one thing alone has no site.
            let site = if sites == 0 {
                "[[sites]]\nname = \"Example\"\nurl = \"https://example.org\"\n"
            } else {
                ""
            };
            let config = load(&format!("{block}{site}"));
            assert_eq!(config.sites.len(), sites.max(1), "{path}");
        }
    }

    /// What a table of the reference needs before one of its keys can stand in it.
    fn opening(section: &str) -> &str {
        match section {
            "[[sites]]" => "[[sites]]\nurl = \"https://example.org\"",
            "sites.json" => {
                "[[sites]]\nurl = \"https://example.org\"\n[[sites.json]]\npath = \"$.a\""
            }
            "[owners.NAME]" => {
                "[owners.boss]\npush = \"boss\"\n[owners.ops]\npush = \"ops\"\nescalate = \"boss\""
            }
            "[notify.email]" => "[notify.email]\nsmtp = \"smtp://mail\"\nfrom = \"a@example.org\"",
            "[notify.sms]" => "[notify.sms]\naccount = \"a\"\ntoken = \"t\"\nfrom = \"+15550100\"",
            section => section,
        }
    }

    #[test]
    fn keys_of_the_configuration_are_those_of_the_program() {
        let reference = config::reference_markdown(&notify::KNOWN_CHANNELS);
        holds("docs/configuration.md", "configuration", &reference);
    }

    #[test]
    fn variables_of_events_are_those_of_the_program() {
        let mut table = "| variable | meaning |\n|---|---|\n".to_owned();
        for (name, meaning) in notify::VARIABLES {
            writeln!(table, "| `{name}` | {meaning} |").unwrap();
        }
        holds("docs/channels.md", "variables", &table);
    }

    #[test]
    fn a_default_that_is_written_out_changes_nothing() {
        let document = read("docs/configuration.md");
        let (begin, end) = part(&document, "configuration");
        let (mut section, mut compared) = ("", 0);
        for line in document[begin..end].lines() {
            if let Some(heading) = line.strip_prefix("### `") {
                section = heading.split('`').next().unwrap();
            }
            let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
            let [key, _, default, _] = cells[..] else {
                continue;
            };
            let key = key.trim_matches('`');
            // A default in plain words is none that could be written.
            let Some(default) = default.strip_prefix('`').and_then(|d| d.strip_suffix('`')) else {
                continue;
            };
            if key.contains('`') || default.starts_with("UptimeSquirrel") {
                continue;
            }
            let opening = opening(section);
            let without = load(&format!("{opening}\n"));
            let with = load(&format!("{opening}\n{key} = {default}\n"));
            let seen = |config: config::Config| {
                let queue = config.queue_options();
                let config = config::Config {
                    path: None,
                    sources: Vec::new(),
                    queue: uptime_squirrel::domain::QueueOptions::default(),
                    ..config
                };
                let kept = (queue.name, queue.expires, queue.result_expires);
                (config, kept)
            };
            assert_eq!(seen(without), seen(with), "{section} {key} = {default}");
            compared += 1;
        }
        assert!(compared > 20, "{compared}");
    }

    #[test]
    fn the_configuration_of_the_channels_can_be_followed_literally() {
        let document = read("docs/outages.md");
        let blocks = parts(&document).1.into_iter();
        let block = blocks
            .map(|block| block.text)
            .find(|text| text.contains("[notify.email]"))
            .unwrap();
        let site = "[[sites]]\nurl = \"https://example.org\"\nowners = [\"ops\"]\n";
        // As it stands, and with what is commented out.
        for block in [block.clone(), block.replace("# allow", "allow")] {
            let config = load(&format!("{block}{site}"));
            let plan = uptime_squirrel::app::plan(&config);
            let channels: Vec<_> = notify::channels_of(&plan, &plan.owners[0].name)
                .map(|entry| entry.name)
                .collect();
            assert_eq!(channels, ["email", "sms", "push", "webhook"]);
        }
    }

    #[test]
    fn every_example_in_json_can_be_read() {
        for (path, block) in blocks_of("json") {
            let values = serde_json::Deserializer::from_str(&block).into_iter();
            for value in values {
                let value: serde_json::Value =
                    value.unwrap_or_else(|error| panic!("{path}: {error}\n{block}"));
                assert!(value.is_object(), "{path}");
            }
        }
    }

    /// The words of a command line, up to a comment, a pipe or a redirection.
    fn words(line: &str) -> Vec<&str> {
        line.split_whitespace()
            .take_while(|word| !word.starts_with(['#', '|', '>', '\\']) && *word != "&&")
            .collect()
    }

    #[test]
    fn every_command_line_is_understood() {
        let mut run = 0;
        for (path, block) in blocks_of("sh") {
            for line in block.lines() {
                let words = words(line);
                if words.first() != Some(&"squirrel") {
                    continue;
                }
                // Help comes after everything before it was understood.
                let output = Command::new(env!("CARGO_BIN_EXE_squirrel"))
                    .args(&words[1..])
                    .arg("--help")
                    .env_remove("SQUIRREL_BROKER")
                    .output()
                    .unwrap();
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{path}: {line}\n{error}");
                run += 1;
            }
        }
        assert!(run > 25, "{run}");
    }

    #[test]
    fn the_package_has_the_documents() {
        let manifest = read("Cargo.toml");
        for asset in ["\"README.md\"", "\"CHANGELOG.md\"", "\"docs/*.md\""] {
            assert!(manifest.contains(&format!("    [{asset}, ")), "{asset}");
        }
    }

    /// What stands between backquotes and begins like a file of the repository is one.
    #[test]
    fn every_file_that_is_named_exists() {
        let mut complaints = Vec::new();
        let mut named = 0;
        for (path, document) in documents() {
            let prose = parts(&document).0;
            for span in prose.split('`').skip(1).step_by(2) {
                let folders = ["src/", "tests/", "contrib/", "benches/", "docs/"];
                if folders.iter().any(|folder| span.starts_with(folder)) {
                    named += 1;
                    if !root().join(span).exists() {
                        complaints.push(format!("{path}: there is no {span}"));
                    }
                }
            }
        }
        assert!(named > 40, "{named}");
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    /// Every bench is in the list, and what is in the list is a bench.
    #[test]
    fn the_list_of_benches_is_complete() {
        let list: BTreeSet<String> = read("docs/testing.md")
            .lines()
            .filter_map(|line| line.strip_prefix("cargo bench --bench "))
            .filter_map(|rest| Some(rest.split_whitespace().next()?.to_owned()))
            .collect();
        let benches: BTreeSet<String> = fs::read_dir(root().join("benches"))
            .unwrap()
            .map(|entry| PathBuf::from(entry.unwrap().file_name()))
            .filter(|name| name.extension().is_some_and(|ending| ending == "rs"))
            .map(|name| name.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        assert_eq!(list, benches);
    }
}
