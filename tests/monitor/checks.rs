//! Keys that ask for checks and hold them back.

use super::sites::{AT_ONCE, ONCE, SIZE, Three, WELL, all_checked, script};
use crate::support::{Fleet, Squirrel, Terminal, until};

#[test]
fn one_site_or_all_are_looked_at_before_their_time() {
    // A site that is down is so from the first check, so that no message about it covers the answer to a key.
    let three = Three::new(AT_ONCE);
    let mut terminal = three.watch(SIZE);
    // What fails by HEAD is asked again by GET.
    let asked = || {
        let well = ["/alpha", "/gamma"].map(|path| three.well.count.path(path).requests);
        [well[0], three.broken.count.path("/beta").requests, well[1]]
    };
    assert_eq!(asked(), [1, 2, 1]);
    terminal.press("End");
    terminal.wait("gamma", |frame| frame.selection().contains("gamma"));
    terminal.press("r");
    until("gamma alone to be asked", || asked() == [1, 2, 2]);
    terminal.press("R");
    terminal.wait_text("checking all 3 sites now");
    until("all to be asked", || asked() == [2, 4, 3]);
}

#[test]
fn a_paused_site_is_not_asked_and_sites_toml_keeps_the_pause_and_its_comments() {
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let squirrel = Squirrel::new();
    let text = format!(
        r#"# What we watch.
[monitor]
interval = "1s"   # often

[[sites]]   # the first
name = "alpha"  # its name
url = "http://{0}/alpha"

# The second stands alone.
[[sites]]
name = "beta"
url = "http://{0}/beta"   # and its address
"#,
        server.authority
    );
    squirrel.write("sites.toml", &text);
    let file = || std::fs::read_to_string(squirrel.dir().join("sites.toml")).unwrap();
    let asked = |path| server.count.path(path).requests;
    let mut terminal = Terminal::start(&squirrel, SIZE, []);
    terminal.wait("both up", |frame| {
        frame.is("alpha", "UP") && frame.is("beta", "UP")
    });
    terminal.press("p");
    let frame = terminal.wait("alpha paused", |frame| frame.is("alpha", "PAUSED"));
    assert!(frame.is("beta", "UP"), "{}", frame.text());
    terminal.wait_text("alpha paused, and so in sites.toml");
    assert!(file().contains("paused = true\n"), "{}", file());
    assert_eq!(file().replace("paused = true\n", ""), text);
    // What was under way is over once the other one has been asked again.
    let next = |path, more| until("the next check", || asked(path) >= more);
    next("/beta", asked("/beta") + 1);
    let paused = asked("/alpha");
    next("/beta", asked("/beta") + 3);
    assert_eq!(asked("/alpha"), paused, "asked although paused");
    terminal.press("/");
    terminal.press("alpha");
    terminal.press("Enter");
    terminal.wait("alpha alone", |frame| frame.rows().count() == 1);
    terminal.press("p");
    terminal.wait("alpha going on", |frame| frame.is("alpha", "UP"));
    terminal.wait_text("alpha resumed, and so in sites.toml");
    assert_eq!(file(), text);
    next("/alpha", paused + 1);
}

#[test]
fn u_takes_back_what_a_key_did_to_a_site() {
    let three = Three::new(ONCE);
    let mut terminal = three.watch(SIZE);
    terminal.wait("the table", all_checked);
    let file = three.squirrel.dir().join("sites.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    terminal.press("u");
    terminal.wait_text("there is nothing to take back");
    terminal.press("p");
    terminal.wait("a site is paused", |frame| frame.has("1 PAUSED"));
    terminal.wait_text(" paused, and so in sites.toml");
    terminal.press("u");
    terminal.wait_text(" resumed, and so in sites.toml");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    terminal.press("w");
    terminal.wait_text(": maintenance until ");
    // From another screen as well.
    terminal.press("F2");
    terminal.press("u");
    terminal.wait_text(": maintenance is over");
    terminal.press("Ctrl-C");
    assert_eq!(terminal.finish(), 0);
}
