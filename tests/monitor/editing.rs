//! Sites edited on the screen: added, changed, deleted, tagged, many at once, and taken back.

use std::fs;

use super::sites::{AT_ONCE, SIZE, Three, WELL, at, home, listing, script};
use crate::support::{Fleet, Squirrel, Terminal, until};

const SMALL: (u16, u16) = (80, 24);

fn file(squirrel: &Squirrel) -> String {
    fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap()
}

/// From an empty file, on the smallest usual terminal.
#[test]
fn a_site_is_added_by_a_form_that_checks_what_is_typed_and_tries_it() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = Squirrel::new();
    squirrel.write("sites.toml", "# mine\n");
    let mut terminal = Terminal::start(&squirrel, SMALL, []);
    terminal.wait_text("No sites yet: press A to add one.");
    terminal.press("A");
    let frame = terminal.wait_text("Add a site to sites.toml");
    assert!(!frame.has("✗ url"), "{}", frame.text());
    terminal.press("Ctrl-U");
    terminal.press("ftp://x");
    terminal.wait_text("✗ url: expected an http or https URL");
    terminal.press("Ctrl-U");
    terminal.press(&format!("http://{}/health", server.authority));
    terminal.press("\t");
    terminal.press("shop");
    terminal.press("\t");
    terminal.press("5");
    terminal.wait_text("✗ interval: expected a duration");
    terminal.press("m");
    terminal.wait("no mistake", |frame| !frame.has("✗"));
    let asked = || server.count.path("/health").requests;
    assert_eq!(asked(), 0);
    terminal.press("Enter");
    terminal.wait_text("Tried once: ● UP, status 200, in ");
    assert_eq!((asked(), file(&squirrel).as_str()), (1, "# mine\n"));
    terminal.press("Enter");
    terminal.wait("the new site up", |frame| frame.is("shop", "UP"));
    terminal.wait_text("shop added: written into sites.toml; u takes it back");
    let added = format!(
        "# mine\n\n[[sites]]\nurl = \"http://{}/health\"\nname = \"shop\"\ninterval = \"5m\"\n",
        server.authority
    );
    assert_eq!(file(&squirrel), added);
    terminal.press("u");
    terminal.wait_text("No sites yet");
    assert_eq!(file(&squirrel), "# mine\n");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_trial_that_fails_is_shown_and_nothing_is_written_by_escape() {
    let three = Three::new(AT_ONCE);
    let before = file(&three.squirrel);
    let mut terminal = three.watch(SMALL);
    terminal.press("A");
    terminal.wait_text("Add a site");
    terminal.press("Ctrl-U");
    terminal.press(&at(&three.broken, "delta").1);
    terminal.press("Enter");
    terminal.wait_text("Tried once: ✗ DOWN (status), status 503");
    terminal.press("Esc");
    terminal.wait("the table", |frame| !frame.has("Add a site"));
    // A name that is taken, and a URL that is watched.
    terminal.press("A");
    terminal.press("Ctrl-U");
    terminal.press(&at(&three.well, "alpha").1);
    terminal.wait_text("✗ name: it is watched already: give this one a name");
    terminal.press("\t");
    terminal.press("beta");
    terminal.wait_text("✗ name: the name \"beta\" is taken already");
    terminal.press("Esc");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(file(&three.squirrel), before);
}

#[test]
fn an_edit_changes_its_keys_alone_and_is_taken_back() {
    let three = Three::new(AT_ONCE);
    let before = file(&three.squirrel);
    let mut terminal = three.watch(SMALL);
    terminal.press("/");
    terminal.press("alpha");
    terminal.press("Enter");
    terminal.press("E");
    terminal.wait_text("Edit alpha in sites.toml");
    for _ in 0..2 {
        terminal.press("\t");
    }
    terminal.press("Ctrl-U");
    terminal.press("7s");
    terminal.wait_text("Enter keeps it.");
    terminal.press("Enter");
    terminal.wait_text("alpha changed (interval): written into sites.toml");
    let changed = before.replacen("/alpha\"\n", "/alpha\"\ninterval = \"7s\"\n", 1);
    assert_eq!(file(&three.squirrel), changed);
    terminal.press("u");
    terminal.wait_text("taken back: sites.toml is as it was before");
    assert_eq!(file(&three.squirrel), before);
    // What somebody else wrote meanwhile is not lost.
    terminal.press("u");
    terminal.wait_text("done again: sites.toml has the edit");
    assert_eq!(file(&three.squirrel), changed);
    three
        .squirrel
        .replace("sites.toml", format!("{changed}# theirs\n"));
    terminal.press("u");
    terminal.wait_text("nothing was changed: another program has changed it");
    assert!(file(&three.squirrel).ends_with("# theirs\n"));
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn marks_apply_pause_recheck_maintenance_tags_and_deletion_to_many() {
    let three = Three::new(AT_ONCE);
    let before = file(&three.squirrel);
    let mut terminal = three.watch(SIZE);
    terminal.press("*");
    terminal.wait_text("> 3 marked");
    let requests = |path| three.well.count.path(path).requests;
    let asked = [requests("/alpha"), requests("/gamma")];
    terminal.press("r");
    terminal.wait_text("checking 3 sites now");
    until("both asked again", || {
        requests("/alpha") > asked[0] && requests("/gamma") > asked[1]
    });
    terminal.press("p");
    terminal.wait("all paused", |frame| {
        ["alpha", "beta", "gamma"]
            .iter()
            .all(|name| frame.is(name, "PAUSED"))
    });
    terminal.wait_text("3 sites paused: ");
    assert_eq!(file(&three.squirrel).matches("paused = true").count(), 3);
    terminal.press("u");
    terminal.wait_text("3 sites resumed: ");
    assert_eq!(file(&three.squirrel), before);
    terminal.press("w");
    terminal.wait_text("maintenance until");
    terminal.press("w");
    terminal.wait_text("maintenance is over");
    terminal.press("t");
    terminal.wait_text("tags of 3 sites (marked)");
    terminal.press("shop -old");
    terminal.press("Enter");
    terminal.wait_text("3 sites tagged +shop -old: ");
    assert_eq!(
        file(&three.squirrel).matches("tags = [\"shop\"]").count(),
        3
    );
    // One is taken out, and two are deleted.
    terminal.press("/");
    terminal.press("beta");
    terminal.press("Enter");
    terminal.press(".");
    terminal.wait_text("> 2 marked");
    terminal.press("D");
    terminal.wait_text("Delete 2 sites (marked) from sites.toml? y deletes, Esc keeps");
    terminal.press("Esc");
    terminal.press("D");
    terminal.wait_text("y deletes");
    terminal.press("y");
    terminal.wait_text("2 sites deleted: ");
    let left = file(&three.squirrel);
    assert!(
        left.contains("\"beta\"") && !left.contains("alpha"),
        "{left}"
    );
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}

#[test]
fn a_site_of_a_list_is_said_to_be_from_there() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = home("include = [\"l.txt\"]", []);
    squirrel.write("l.txt", format!("{} listed\n", at(&server, "listed").1));
    let before = listing("include = [\"l.txt\"]", []);
    let mut terminal = Terminal::start(&squirrel, SMALL, []);
    terminal.wait("it is up", |frame| frame.is("listed", "UP"));
    terminal.press("D");
    terminal.press("y");
    terminal.wait_text("nothing was changed: ");
    terminal.press("M");
    terminal.wait("the whole sentence", |frame| {
        frame.has("stands in a list that it includes")
    });
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    assert_eq!(file(&squirrel), before);
}

#[test]
fn the_sites_of_the_demo_are_not_edited_and_it_is_said_why() {
    let mut terminal = Terminal::start(&Squirrel::new(), SMALL, ["demo"]);
    terminal.wait_text("● UP");
    for key in ["A", "E", "D", "t"] {
        terminal.press(key);
        terminal.wait_text("Not possible: the demo's sites are its own");
    }
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
