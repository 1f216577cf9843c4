//! From files to a `sites.toml` that is in order.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::config::{self, KnownNames};

use super::format::Format;
use super::imported_site::{Finding, ImportError, ImportedConfig};
use super::render::render;

/// One file of the other monitor.
#[derive(Clone, Copy, Debug)]
pub struct ImportFile<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// The content of the file.
    pub text: &'a str,
}

/// The result of a conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The text of the `sites.toml`.
    pub toml: String,
    /// The number of sites in it.
    pub sites: usize,
    /// The number of checks of the other monitor that are left out.
    pub left_out: usize,
    /// The number of settings without a counterpart.
    pub unsupported: usize,
}

/// Converts the files, which are read as one.
///
/// # Errors
/// If a file is not of that format, or no site is in them.
pub fn convert(
    entry: &Format,
    inputs: &[ImportFile<'_>],
    known: &KnownNames<'_>,
) -> Result<Converted, ImportError> {
    let texts: Vec<&str> = inputs.iter().map(|input| input.text).collect();
    let mut imported = (entry.read)(&texts)?;
    name_apart(&mut imported);
    let from: Vec<_> = inputs.iter().map(|input| input.name).collect();
    let toml = render(&imported, &from.join(", "));
    let mut converted = Converted {
        sites: 0,
        left_out: 0,
        unsupported: imported.unsupported.len(),
        toml,
    };
    for found in &imported.found {
        match found {
            Finding::Site(site) => {
                converted.sites += 1;
                converted.unsupported += site.unsupported.len();
            }
            Finding::LeftOut { .. } => converted.left_out += 1,
        }
    }
    if converted.sites == 0 {
        return Err(ImportError::new(
            0,
            match converted.left_out {
                0 => "it has no site".to_owned(),
                count => format!("it has no site that can be checked: {count} left out"),
            },
        ));
    }
    // Nobody gets what the program itself would refuse.
    config::parse(&converted.toml, Path::new("sites.toml"), known).map_err(|mistakes| {
        let mistakes = mistakes.to_string();
        let first = mistakes.lines().next().unwrap_or_default();
        ImportError::new(0, format!("what came of it is not in order: {first}"))
    })?;
    Ok(converted)
}

/// Gives every site a name of its own: the first keeps it, the others get their group behind
/// it if that is enough, else a number.
fn name_apart(imported: &mut ImportedConfig) {
    let mut taken = HashSet::new();
    // The number that each name goes on with: trying all of them anew for every site would take
    // a list of one name for ever.
    let mut next: HashMap<String, u64> = HashMap::new();
    for found in &mut imported.found {
        let Finding::Site(site) = found else { continue };
        if !taken.insert(site.name.clone()) {
            let number = next.entry(site.name.clone()).or_insert(2);
            let grouped = site
                .tags
                .first()
                .map(|tag| format!("{} ({tag})", site.name));
            let grouped = grouped.filter(|name| name.chars().count() <= 200);
            let numbered = std::iter::repeat_with(|| {
                let name = format!("{} ({number})", site.name);
                *number += 1;
                name
            });
            let mut names = grouped.into_iter().chain(numbered);
            if let Some(name) = names.find(|name| taken.insert(name.clone())) {
                site.name = name;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{ALL, position};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn converted(name: &str, text: &str) -> Result<Converted, ImportError> {
        let known = KnownNames {
            paradigms: &["async"],
            channels: &[],
        };
        let input = ImportFile { name: "file", text };
        convert(&ALL[position(name).unwrap()], &[input], &known)
    }

    /// Usual and hostile texts.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[a-z\"\\\\#\\[\\]=' \u{1b}\u{9b}\u{202e}\n\t]{0,300}",
            Just("shop".to_owned()),
            Just("https://example.org/".to_owned()),
        ]
    }

    #[test]
    fn names_are_made_unique_by_group_and_then_by_number() {
        let list = "https://a.example x\nhttps://b.example x\nhttps://c.example x (2)\n\
                    https://d.example x\n";
        let toml = converted("list", list).unwrap().toml;
        let names: Vec<_> = toml
            .lines()
            .filter(|line| line.starts_with("name"))
            .collect();
        assert_eq!(
            names,
            [
                "name = \"x\"",
                "name = \"x (2)\"",
                "name = \"x (2) (2)\"",
                "name = \"x (3)\""
            ]
        );
    }

    #[test]
    fn a_hundred_thousand_sites_of_one_name_are_named_in_no_time() {
        let list = "https://a.example x\n".repeat(100_000);
        let began = std::time::Instant::now();
        let toml = converted("list", &list).unwrap().toml;
        assert!(toml.contains("name = \"x (100000)\""));
        // All pairs of them would take an hour.
        assert!(began.elapsed() < std::time::Duration::from_secs(60));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn whatever_kuma_says_the_outcome_is_in_order(
            sites in prop::collection::vec(
                (texts(), texts(), texts(), any::<f64>(), -5_i64..100_000, any::<bool>()),
                1..6,
            ),
        ) {
            let monitors: Vec<_> = sites
                .iter()
                .enumerate()
                .map(|(index, (name, keyword, path, float, number, flag))| json!({
                    "id": index, "type": "keyword", "name": name, "keyword": keyword,
                    "url": format!("https://example.org/{path}"), "interval": float,
                    "timeout": number, "maxretries": number, "retryInterval": float,
                    "maxredirects": number, "accepted_statuscodes": [keyword, "200-299"],
                    "tags": [{"name": name, "value": path}], "active": flag,
                    "description": keyword, "headers": path, "method": name,
                    "basic_auth_user": name, "basic_auth_pass": keyword,
                }))
                .collect();
            let good = json!({ "type": "http", "name": "shop", "url": "https://example.org" });
            let monitors: Vec<_> = monitors.into_iter().chain([good]).collect();
            let document = json!({ "monitorList": monitors }).to_string();
            let converted = converted("kuma", &document);
            prop_assert!(converted.is_ok(), "{converted:?}");
            let toml = converted.unwrap().toml;
            let acts = |c: char| c != '\n' && crate::domain::is_unsafe(c);
            prop_assert!(!toml.chars().any(acts));
        }

        #[test]
        fn no_text_makes_a_reader_panic_or_write_what_is_refused(text in texts()) {
            for entry in &ALL {
                if let Err(wrong) = converted(entry.name, &text) {
                    let sentence = wrong.to_string();
                    prop_assert!(!sentence.contains("not in order"), "{sentence}");
                    prop_assert!(!sentence.chars().any(crate::domain::is_unsafe));
                }
            }
        }
    }
}
