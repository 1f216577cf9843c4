//! The unit of systemd, under the eyes of systemd's own tools, and its command line as it is.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::monitor::sites::{WELL, script};
use crate::owners::sites::is;
use crate::support::{Fleet, Squirrel};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn unit() -> String {
    std::fs::read_to_string(root().join("contrib/systemd/squirrel.service")).unwrap()
}

fn settings() -> BTreeMap<String, String> {
    unit()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn analyze(args: &[&str], squirrel: &Squirrel) -> (bool, String) {
    // The binary need not be installed to be found.
    let unit = unit().replace("/usr/bin/squirrel", env!("CARGO_BIN_EXE_squirrel"));
    squirrel.write("squirrel.service", unit);
    let output = Command::new("systemd-analyze")
        .args(args)
        .arg("squirrel.service")
        .current_dir(squirrel.dir())
        .output()
        .expect("systemd-analyze is needed: tests/run installs it");
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn systemd_finds_nothing_wrong_with_the_unit_and_little_that_it_may_do() {
    let squirrel = Squirrel::new();
    // Units of the machine itself may have faults of their own.
    let (_, said) = analyze(&["verify", "--man=no"], &squirrel);
    let about_ours: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("squirrel"))
        .collect();
    assert!(about_ours.is_empty(), "{said}");
    // Of 100, in tenths of the exposure level; unhardened services are at 96.
    let security = ["security", "--offline=true", "--threshold=20"];
    let (fine, said) = analyze(&security, &squirrel);
    assert!(fine, "{said}");
}

#[test]
fn what_the_unit_starts_is_ready_as_it_says_and_keeps_its_state_where_it_may() {
    let settings = settings();
    assert_eq!(settings["Type"], "notify");
    let words: Vec<_> = settings["ExecStart"].split(' ').collect();
    let (program, args) = words.split_first().unwrap();
    assert_eq!(*program, "/usr/bin/squirrel");
    let mut fleet = Fleet::new();
    let server = fleet.serve(script(WELL));
    let home = Squirrel::new();
    let site = format!("[[sites]]\nurl = \"http://{}/\"\n", server.authority);
    home.write("sites.toml", site);
    let socket = UnixDatagram::bind(home.dir().join("notify")).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let notify = format!("NOTIFY_SOCKET={}", home.dir().join("notify").display());
    let state = format!("XDG_STATE_HOME={}", home.dir().join("lib").display());
    let squirrel = home.through(["env", &notify, &state]);
    // The same words; the list is elsewhere.
    let args = args.iter().map(|word| match *word {
        "/etc/uptime-squirrel/sites.toml" => "sites.toml",
        word => word,
    });
    let mut running = squirrel.start(args);
    running.wait_for("the start", is("started"));
    let mut buffer = [0; 1_024];
    let count = socket.recv(&mut buffer).unwrap();
    assert!(buffer[..count].starts_with(b"READY=1"));
    // As `StateDirectory` makes it.
    let folder = format!("lib/{}", settings["StateDirectory"]);
    assert!(squirrel.dir().join(folder).join("history.db").exists());
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code(), 0);
    // A mistake in the list ends it with the status after which it is not tried again.
    squirrel.write("sites.toml", "[[sites]]\n");
    let refused = squirrel.run(["watch", "--config", "sites.toml"]).code();
    assert_eq!(settings["RestartPreventExitStatus"], refused.to_string());
}

#[test]
fn everything_that_the_debian_package_takes_from_the_source_is_there() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&manifest).unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let make = std::fs::read_to_string(root().join("contrib/debian/make")).unwrap();
    for asset in deb["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        match source.strip_prefix("target/") {
            // Written by the script.
            Some("release/squirrel") => assert!(make.contains("cargo build --release")),
            Some(page) => assert!(page.starts_with("pages/") && make.contains("target/pages")),
            None => {
                let folder = source.strip_suffix("/*.md").unwrap_or(source);
                assert!(root().join(folder).exists(), "{source}");
            }
        }
    }
    let license = deb["license-file"][0].as_str().unwrap();
    assert!(root().join(license).exists());
    let units = &deb["systemd-units"];
    let unit = format!(
        "{}/{}.service",
        units["unit-scripts"].as_str().unwrap(),
        units["unit-name"].as_str().unwrap()
    );
    assert!(root().join(unit).exists());
}
