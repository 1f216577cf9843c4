//! The manual page sites.toml(5), written from the reference of the configuration.

use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::config::{KeyReference, reference};
use crate::notify::KNOWN_CHANNELS;

/// What stands before the keys: a section's name, and its paragraphs.
const BEGINNING: [(&str, &[&str]); 3] = [
    (
        "NAME",
        &[r"sites.toml - the sites that squirrel watches, and who is told of them"],
    ),
    (
        "SYNOPSIS",
        &[
            "`--config FILE`, else `./sites.toml`, else `$SQUIRREL_CONFIG`, else \
           `uptime-squirrel/sites.toml` in the user's configuration directory",
        ],
    ),
    (
        "DESCRIPTION",
        &[
            "The file is TOML. A site needs no more than its `url`; everything else has a default.",
            "A duration is a number with its unit, as in `250ms`, `30s`, `5m`, `1h30m` and `14d`. \
             A secret is read from elsewhere: `{ env = \"NAME\" }` is a variable of the \
             environment, `{ file = \"PATH\" }` the contents of a file.",
            "`squirrel config check` names every mistake with its line. A running monitor reads \
             the file again when it changes, and goes on with the one it has if the new one has \
             mistakes.",
        ],
    ),
];

const EXAMPLE: &str = "\
[owners.ops]
push = \"squirrel-ops\"

[[sites]]
name = \"Shop\"
url = \"https://shop.example.org/cart\"
owners = [\"ops\"]
interval = \"1m\"
contains = \"Add to cart\"";

/// The page.
pub(super) fn page() -> String {
    let mut roff = Roff::new();
    let version = format!("squirrel {}", env!("CARGO_PKG_VERSION"));
    roff.control(
        "TH",
        ["sites.toml", "5", "", &version, "File Formats Manual"],
    );
    for (name, paragraphs) in BEGINNING {
        roff.control("SH", [name]);
        for (number, paragraph) in paragraphs.iter().enumerate() {
            if number > 0 {
                roff.control("PP", []);
            }
            roff.text(marked(paragraph));
        }
    }
    roff.control("SH", ["KEYS"]);
    for table in reference(&KNOWN_CHANNELS) {
        roff.control("SS", [table.header]);
        for key in &table.keys {
            roff.control("TP", []);
            roff.text([bold(&*key.key)]);
            roff.text(marked(&explained(key)));
        }
    }
    roff.control("SH", ["EXAMPLE"]);
    roff.control("EX", []);
    roff.text([roman(EXAMPLE)]);
    roff.control("EE", []);
    roff.control("SH", ["SEE ALSO"]);
    roff.text([
        bold("squirrel"),
        roman("(1), "),
        bold("squirrel-config-check"),
        roman("(1)"),
    ]);
    roff.to_roff()
}

/// The sentence of a key: "How long every single result is kept (duration, 1ms or more; default
/// 7d)."
fn explained(key: &KeyReference) -> String {
    let mut meaning = key.meaning.chars();
    let first = meaning.next().map(char::to_uppercase);
    let mut text: String = first.into_iter().flatten().chain(meaning).collect();
    text.push_str(&format!(" ({}", key.kind));
    if !key.range.is_empty() {
        text.push_str(&format!(", {}", key.range));
    }
    match key.default.as_deref() {
        Some("required") => text.push_str("; required"),
        Some(default) => text.push_str(&format!("; default: {default}")),
        None => {}
    }
    text.push_str(").");
    text
}

/// A text of Markdown: what is code is bold.
fn marked(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(place, part)| match place % 2 {
            0 => roman(part),
            _ => bold(part),
        })
        .collect()
}
