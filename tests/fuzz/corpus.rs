//! The inputs that everything begins with: small ones that are in order, and every one that
//! was not borne.

use std::fs;
use std::path::{Path, PathBuf};

use super::seeds;

/// The folders of a target's files: its own, and others of its grammar.
fn folders(target: &str) -> Vec<PathBuf> {
    let tests = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"));
    let mut folders = vec![tests.join("fuzz/corpus").join(target)];
    if target == "config" {
        folders.push(tests.join("scenarios/broken"));
    }
    folders
}

/// The inputs of a target, each with its name.
pub(crate) fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    for folder in folders(target) {
        let entries = fs::read_dir(&folder).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            inputs.push((name, fs::read(&path).expect("a file of the corpus")));
        }
    }
    let made = seeds::of(target).into_iter().enumerate();
    inputs.extend(made.map(|(number, bytes)| (format!("seed {number}"), bytes)));
    inputs
}
