//! One word for each concept: names of files and types are made of the glossary of `lib.rs` and
//! of the common words of `vocabulary/common_words.txt`.

#[cfg(test)]
mod vocabulary {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    const COMMON_WORDS: &str = include_str!("vocabulary/common_words.txt");

    /// The most entries of the glossary.
    const MOST_ENTRIES: usize = 45;

    /// Names of files that say what every file of that name is.
    const STRUCTURAL: [&str; 4] = ["mod", "lib", "main", "tests"];

    /// Words that other names were replaced for: no file and no type bears one.
    const NEVER: [&str; 26] = [
        "annals", "book", "core", "course", "desk", "fleet", "hop", "hops", "lap", "ledger",
        "look", "looks", "marks", "notes", "scene", "sheet", "shelf", "sight", "staff", "standing",
        "toy", "toys", "trail", "trails", "vigil", "world",
    ];

    /// Words that stand nowhere at all, each in two parts so that it does not stand here either.
    const NOWHERE: [(&str, &str); 3] = [("let", "ter"), ("gla", "nce"), ("par", "cel")];

    /// What makes a noun of the word that means a check when it stands before it.
    const BEFORE_A_NOUN: [&str; 30] = [
        "a", "an", "another", "any", "bad", "both", "each", "every", "failed", "first", "good",
        "its", "last", "late", "many", "missed", "more", "new", "next", "no", "of", "one", "per",
        "quick", "single", "some", "the", "this", "three", "two",
    ];

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let ending = path.extension().and_then(|ending| ending.to_str());
                if path.is_dir() {
                    folders.push(path);
                } else if ending.is_some_and(|ending| endings.contains(&ending)) {
                    files.push(path);
                }
            }
        }
        files.sort();
        files
    }

    /// The path below `src`, without its ending.
    fn name_of(path: &Path) -> String {
        let path = path.strip_prefix(root().join("src")).unwrap();
        path.with_extension("").to_string_lossy().into_owned()
    }

    /// The entries of the glossary: words and room.
    fn glossary() -> Vec<(String, String)> {
        let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
        let (_, glossary) = map.split_once("//! # The glossary").unwrap();
        glossary
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("//! | ")?.split(" | ");
                let words = cells.next()?.to_owned();
                let room = cells.next()?.strip_prefix("[`")?.strip_suffix("`]")?;
                Some((words, room.to_owned()))
            })
            .collect()
    }

    fn rooms() -> BTreeSet<String> {
        let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
        map.lines()
            .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
            .map(str::to_owned)
            .collect()
    }

    fn common_words() -> BTreeSet<&'static str> {
        COMMON_WORDS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .flat_map(str::split_whitespace)
            .collect()
    }

    /// A word as it is in the glossary, for one that stands in a name: `messages`, `canaries`.
    fn singular(word: &str) -> Vec<String> {
        let mut forms = vec![word.to_owned()];
        forms.extend(word.strip_suffix('s').map(str::to_owned));
        forms.extend(word.strip_suffix("es").map(str::to_owned));
        forms.extend(word.strip_suffix("ies").map(|stem| format!("{stem}y")));
        forms
    }

    /// Words of a name in the style of types: `CheckSpec` is `check` and `spec`.
    fn words_of_type(name: &str) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for character in name.chars() {
            match words.last_mut() {
                Some(word) if !character.is_uppercase() => word.push(character),
                _ => words.push(character.to_lowercase().collect()),
            }
        }
        words
    }

    /// Types that other files can name, with the files that define them.
    fn types() -> BTreeMap<String, Vec<String>> {
        let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for path in files_below(&root().join("src"), &["rs"]) {
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines().filter(|line| line.starts_with("pub")) {
                let line = line.strip_prefix("pub").unwrap_or_default();
                let line = line.split_once(") ").map_or(line, |(visible, rest)| {
                    if visible.starts_with('(') { rest } else { line }
                });
                let mut words = line.split_whitespace();
                if !words.next().is_some_and(|kind| {
                    ["struct", "enum", "trait", "type", "union"].contains(&kind)
                }) {
                    continue;
                }
                let name: String = words
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take_while(|character| character.is_alphanumeric())
                    .collect();
                types.entry(name).or_default().push(name_of(&path));
            }
        }
        assert!(types.len() > 200, "only {} types found", types.len());
        types
    }

    #[test]
    fn the_glossary_is_short_and_names_the_room_of_each_word() {
        let entries = glossary();
        assert!(entries.len() > 30, "only {} entries found", entries.len());
        assert!(entries.len() <= MOST_ENTRIES, "{} entries", entries.len());
        let rooms = rooms();
        let mut seen = BTreeSet::new();
        for (words, room) in &entries {
            assert!(rooms.contains(room), "{words}: no room {room}");
            for word in words.split(", ") {
                assert!(seen.insert(word), "{word} stands in the glossary twice");
            }
        }
    }

    #[test]
    fn file_names_are_made_of_the_glossary_and_of_common_words() {
        let entries = glossary();
        let mut known: BTreeSet<&str> = common_words();
        for (words, _) in &entries {
            known.extend(words.split([' ', ',']).filter(|word| !word.is_empty()));
        }
        let rooms = rooms();
        known.extend(rooms.iter().map(String::as_str));
        known.extend(STRUCTURAL);
        let mut complaints = Vec::new();
        for path in files_below(&root().join("src"), &["rs"]) {
            for word in name_of(&path).split(['/', '_']) {
                if !singular(word).iter().any(|form| known.contains(&**form)) {
                    complaints.push(format!("{}: {word}", path.display()));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn common_words_are_in_use_and_are_not_in_the_glossary() {
        let mut used = BTreeSet::new();
        for path in files_below(&root().join("src"), &["rs"]) {
            for word in name_of(&path).split(['/', '_']) {
                used.extend(singular(word));
            }
        }
        let entries = glossary();
        for word in common_words() {
            assert!(used.contains(word), "no file is named after {word}");
            let in_glossary = entries
                .iter()
                .any(|(words, _)| words.split([' ', ',']).any(|other| other == word));
            assert!(!in_glossary, "{word} is in the glossary");
        }
    }

    #[test]
    fn no_two_types_share_a_name() {
        let shared: Vec<_> = types()
            .into_iter()
            .filter(|(_, files)| files.len() > 1)
            .map(|(name, files)| format!("{name}: {}", files.join(", ")))
            .collect();
        assert!(shared.is_empty(), "{}", shared.join("\n"));
    }

    #[test]
    fn no_file_and_no_type_bears_a_word_that_was_replaced() {
        let mut complaints = Vec::new();
        for path in files_below(&root().join("src"), &["rs"]) {
            let name = name_of(&path);
            if name.split(['/', '_']).any(|word| NEVER.contains(&word)) {
                complaints.push(name);
            }
        }
        for (name, files) in types() {
            if words_of_type(&name)
                .iter()
                .any(|word| NEVER.contains(&&**word))
            {
                complaints.push(format!("{name} in {}", files.join(", ")));
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn a_check_and_a_message_are_called_so_everywhere() {
        let nowhere: Vec<String> = NOWHERE
            .iter()
            .flat_map(|(first, second)| {
                let word = format!("{first}{second}");
                [format!("{word}s"), word]
            })
            .collect();
        let look = ["lo", "ok"].concat();
        let forms = [format!("{look}s"), look];
        let mut complaints = Vec::new();
        let mut files: Vec<PathBuf> =
            ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "sites.toml"]
                .iter()
                .map(|name| root().join(name))
                .collect();
        for folder in ["src", "docs", "tests", "benches", "contrib", "findings"] {
            let folder = root().join(folder);
            if folder.is_dir() {
                files.extend(files_below(
                    &folder,
                    &["rs", "md", "sh", "toml", "snap", "py", "txt", "service"],
                ));
            }
        }
        assert!(files.len() > 400, "only {} files found", files.len());
        for path in files {
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            for (number, line) in text.lines().enumerate() {
                let words: Vec<String> = line
                    .split(|character: char| !character.is_alphabetic())
                    .filter(|word| !word.is_empty())
                    .map(str::to_lowercase)
                    .collect();
                let is_noun = words
                    .windows(2)
                    .any(|pair| forms.contains(&pair[1]) && BEFORE_A_NOUN.contains(&&*pair[0]));
                if is_noun || words.iter().any(|word| nowhere.contains(word)) {
                    complaints.push(format!("{}:{}: {line}", path.display(), number + 1));
                }
            }
        }
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }
}
