//! Homes in which another monitor's configuration becomes ours.

use toml::Table;

use crate::support::Squirrel;

/// A sites.toml that was written, and what was said about it.
pub(crate) struct Imported {
    pub(crate) toml: String,
    pub(crate) said: String,
}

impl Imported {
    /// The site called `name`.
    pub(crate) fn site(&self, name: &str) -> Table {
        let table: Table = toml::from_str(&self.toml).unwrap();
        let sites = table["sites"].as_array().unwrap();
        let site = sites
            .iter()
            .find(|site| site["name"].as_str() == Some(name));
        site.unwrap_or_else(|| panic!("no {name} in\n{}", self.toml))
            .as_table()
            .unwrap()
            .clone()
    }

    /// What stands in comments behind the site called `name`.
    pub(crate) fn lacks(&self, name: &str) -> Vec<&str> {
        let (_, rest) = self
            .toml
            .split_once(&format!("name = \"{name}\"\n"))
            .unwrap();
        rest.lines()
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("# not here: "))
            .collect()
    }

    /// What was left out.
    pub(crate) fn left_out(&self) -> Vec<&str> {
        let lines = self.toml.lines();
        lines
            .filter_map(|line| line.strip_prefix("# left out: "))
            .collect()
    }
}

/// Imports these files, and makes sure that `config check` likes what came of them.
pub(crate) fn import(format: &str, files: &[(&str, &str)]) -> Imported {
    let squirrel = Squirrel::new();
    for (name, text) in files {
        squirrel.write(name, text);
    }
    let words = ["import", format]
        .into_iter()
        .chain(files.iter().map(|(name, _)| *name));
    let finished = squirrel.run(words);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let toml = String::from_utf8(finished.stdout.clone()).unwrap();
    squirrel.write("sites.toml", &toml);
    let check = squirrel.run(["config", "check"]);
    assert_eq!(check.code(), 0, "{}\n{toml}", check.stderr);
    Imported {
        toml,
        said: finished.stderr,
    }
}

/// What is said where these files cannot be imported.
pub(crate) fn refused(format: &str, files: &[(&str, &[u8])]) -> String {
    let squirrel = Squirrel::new();
    for (name, text) in files {
        squirrel.write(name, text);
    }
    let words = ["import", format]
        .into_iter()
        .chain(files.iter().map(|(name, _)| *name));
    let finished = squirrel.run(words);
    finished.assert_no_panic();
    assert_eq!(finished.code(), 2, "{}", finished.stderr);
    assert!(finished.stdout.is_empty());
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    finished.stderr
}
