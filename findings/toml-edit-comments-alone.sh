#!/usr/bin/env bash
# toml_edit 0.25.18: the comments of a document that holds nothing else are what trails behind it.
# A table that is added to such a document is printed before them, so that the heading of a file of
# comments stands at its end after the first edit. In a document with a key or a table the comments
# before it belong to it and stay where they are. An editor of configuration files has to move the
# trailing text into the prefix of the first table itself.
#
# Needs cargo. Ends with 1 if the output is another one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2024"

[dependencies]
toml_edit = "=0.25.18"
TOML
cat > src/main.rs <<'RUST'
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

fn add(text: &str) -> String {
    let mut document: DocumentMut = text.parse().unwrap();
    let mut table = Table::new();
    table.insert("url", value("https://a.example"));
    let mut tables = ArrayOfTables::new();
    tables.push(table);
    document.insert("sites", Item::ArrayOfTables(tables));
    document.to_string()
}

fn main() {
    println!("comments alone:\n{}", add("# my sites\n"));
    println!("with a table:\n{}", add("# my sites\n[monitor]\n"));
}
RUST
cat > expected <<'TEXT'
comments alone:
[[sites]]
url = "https://a.example"
# my sites

with a table:
# my sites
[monitor]

[[sites]]
url = "https://a.example"

TEXT
cargo run --quiet > output
cat output
diff expected output
