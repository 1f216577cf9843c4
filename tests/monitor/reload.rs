//! A sites.toml that changes while the monitor runs.

use super::sites::{SIZE, Three, at, listing};
use crate::support::until;

const OFTEN: &str = r#"interval = "1s"
confirm = 1
confirm_delay = "1s""#;

#[test]
fn a_changed_file_is_taken_over_and_sites_that_stay_keep_their_history() {
    let three = Three::new(OFTEN);
    let mut terminal = three.watch(SIZE);
    terminal.wait("beta down", |frame| frame.is("beta", "DOWN"));
    let asked = |path| three.well.count.path(path).requests;
    until("some history", || {
        asked("/alpha") >= 3 && asked("/gamma") >= 3
    });
    let sites = [at(&three.well, "alpha"), at(&three.broken, "beta")];
    let mut text = listing(OFTEN, sites) + "interval = \"1h\"\n";
    text += &listing("", [at(&three.well, "delta")]).replace("[monitor]", "");
    three.squirrel.replace("sites.toml", &text);
    let frame = terminal.wait("the new list", |frame| {
        frame.is("delta", "UP") && frame.row("gamma").is_none()
    });
    assert!(
        frame.is("beta", "DOWN") && frame.is("alpha", "UP"),
        "{}",
        frame.text()
    );
    assert!(
        frame.has("sites.toml read again: 3 sites"),
        "{}",
        frame.text()
    );
    let removed = asked("/gamma");
    // The outage goes on from where it was, with the new interval.
    terminal.press("Enter");
    let frame = terminal.wait_text("Explain beta");
    assert!(frame.has("every 1h"), "{}", frame.text());
    terminal.press("n");
    terminal.wait_text("Explain alpha");
    // Its checks are counted from the beginning, those before the change included.
    terminal.wait("the account of alpha to add up", |frame| {
        frame.has(&format!(" {} checks, 0 missed", asked("/alpha")))
    });
    until("the others to go on", || asked("/delta") >= 3);
    assert_eq!(asked("/gamma"), removed, "asked although removed");
    terminal.press("q");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
    terminal.heard(|heard| assert_eq!(heard.bells, 1, "{:?}", heard.notes));
}

#[test]
fn a_broken_file_is_told_where_it_is_broken_and_changes_nothing() {
    let three = Three::new(OFTEN);
    let good = std::fs::read_to_string(three.squirrel.dir().join("sites.toml")).unwrap();
    let mut terminal = three.watch(SIZE);
    let asked = |path| three.well.count.path(path).requests;
    let broken = good.replacen("confirm = 1", "confirm = \"once\"\nintervall = 3", 1);
    three.squirrel.replace("sites.toml", &broken);
    let frame = terminal.wait_text("; running on the");
    let banner = frame.line("running on").unwrap().trim();
    assert!(banner.starts_with("sites.toml:3:"), "{banner}");
    assert!(banner.contains("monitor.confirm"), "{banner}");
    assert!(banner.contains("(and 1 more)"), "{banner}");
    assert_eq!(frame.rows().count(), 3, "{}", frame.text());
    let before = [asked("/alpha"), asked("/gamma")];
    until("the old list to go on", || {
        asked("/alpha") > before[0] + 1 && asked("/gamma") > before[1] + 1
    });
    assert!(terminal.frame().has("; running on the"));
    three.squirrel.replace("sites.toml", &good);
    let frame = terminal.wait("the banner gone", |frame| !frame.has("running on"));
    assert_eq!(frame.rows().count(), 3, "{}", frame.text());
}
