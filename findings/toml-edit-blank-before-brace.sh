#!/usr/bin/env bash
# toml_edit 0.25.18: the blank before the closing brace of an inline table is kept with the last
# value, not with the brace. A key that is added behind it therefore leaves a blank before its
# comma ("x" , paused), and a key that is removed from the end takes the blank along ("…"}). An
# editor of configuration files has to clear the decoration of the last value before and after it
# changes such a table, or an edit and its opposite do not give the file as it was.
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
use toml_edit::{DocumentMut, value};

fn main() {
    let text = "site = { url = \"https://a.example\", tag = \"x\" }\n";
    let mut document: DocumentMut = text.parse().unwrap();
    let table = document["site"].as_inline_table_mut().unwrap();
    table.insert("paused", value(true).into_value().unwrap());
    print!("added:   {document}");
    let table = document["site"].as_inline_table_mut().unwrap();
    table.remove("paused");
    table.remove("tag");
    print!("removed: {document}");
}
RUST
cat > expected <<'TEXT'
added:   site = { url = "https://a.example", tag = "x" , paused = true }
removed: site = { url = "https://a.example"}
TEXT
cargo run --quiet > output
cat output
diff expected output
