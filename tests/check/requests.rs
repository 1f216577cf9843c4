//! What requests carry: header fields, credentials and bodies, from the file, the environment and
//! other files; and that nobody else gets to see them.

use crate::support::{Answer, Finished, Fleet, PostServer, Squirrel, paradigms};

/// Secrets of the tests; none of them may be seen anywhere.
const SECRETS: [&str; 4] = ["hunter2-key", "hunter2-token", "hunter2-pw", "hunter2-body"];

/// A program with the secrets in its environment and in files.
fn squirrel() -> Squirrel {
    let squirrel = Squirrel::new().through([
        "env",
        "API_KEY=hunter2-key",
        "TOKEN=hunter2-token",
        "PATH=/usr/bin:/bin",
    ]);
    squirrel.write("pw", "hunter2-pw\n");
    squirrel.write("body", "hunter2-body\n");
    squirrel
}

fn text(finished: &Finished) -> String {
    String::from_utf8_lossy(&finished.stdout).into_owned()
}

fn well(fleet: &Fleet) -> PostServer {
    PostServer::start(fleet, [Answer::Says("200 OK", "", "fine")])
}

fn check(squirrel: &Squirrel, paradigm: &str) -> Finished {
    let finished = squirrel.run([
        "check",
        "--config",
        "sites.toml",
        "--paradigm",
        paradigm,
        "--workers",
        "2",
        "--format",
        "json",
    ]);
    let said = [text(&finished), finished.stderr.clone()].concat();
    for secret in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
    finished
}

#[test]
fn fields_and_credentials_are_sent_under_every_paradigm_and_shown_nowhere() {
    let fleet = Fleet::new();
    let server = well(&fleet);
    let squirrel = squirrel();
    squirrel.write(
        "sites.toml",
        format!(
            "[[sites]]\nname = \"one\"\nurl = \"{url}/one\"\nmethod = \"POST\"\n\
             body = {{ file = \"body\" }}\nbearer = {{ env = \"TOKEN\" }}\n\
             headers = {{ X-Api-Key = {{ env = \"API_KEY\" }}, Accept = \"application/json\" }}\n\n\
             [[sites]]\nname = \"two\"\nurl = \"{url}/two\"\n\
             basic_auth = {{ user = \"me\", password = {{ file = \"pw\" }} }}\n",
            url = server.url()
        ),
    );
    for paradigm in paradigms() {
        let before = server.posted().len();
        let finished = check(&squirrel, paradigm);
        assert_eq!(finished.code(), 0, "{paradigm}: {}", text(&finished));
        let posted = server.posted();
        let at = |path: &str| {
            posted[before..]
                .iter()
                .find(|one| one.path == path)
                .unwrap()
        };
        let one = at("/one");
        assert_eq!(one.header("X-Api-Key"), Some("hunter2-key"), "{paradigm}");
        assert_eq!(one.header("Authorization"), Some("Bearer hunter2-token"));
        assert_eq!(one.header("Accept"), Some("application/json"));
        assert_eq!(one.head.matches("Accept: ").count(), 1, "{}", one.head);
        assert_eq!(one.body, "hunter2-body");
        // base64 of me:hunter2-pw
        assert_eq!(
            at("/two").header("Authorization"),
            Some("Basic bWU6aHVudGVyMi1wdw==")
        );
    }
}

#[test]
fn another_origin_gets_none_of_it() {
    let fleet = Fleet::new();
    let other = well(&fleet);
    let location: &'static str = Box::leak(format!("Location: {}/x\r\n", other.url()).into());
    let server = PostServer::start(&fleet, [Answer::Says("302 Found", location, "")]);
    let squirrel = squirrel();
    squirrel.write(
        "sites.toml",
        format!(
            "[[sites]]\nurl = \"{}/\"\nmethod = \"GET\"\nbearer = {{ env = \"TOKEN\" }}\n\
             headers = {{ X-Api-Key = {{ env = \"API_KEY\" }}, Cookie = \"a=hunter2-pw\" }}\n",
            server.url()
        ),
    );
    let finished = check(&squirrel, "async");
    assert_eq!(finished.code(), 0, "{}", text(&finished));
    assert!(server.posted()[0].head.contains("hunter2-pw"));
    let head = &other.posted()[0].head;
    assert!(
        !head.contains("hunter2") && !head.contains("Authorization"),
        "{head}"
    );
}

#[test]
fn defaults_by_tag_stand_between_the_monitor_and_the_site() {
    let fleet = Fleet::new();
    let server = well(&fleet);
    let squirrel = squirrel();
    let url = server.url();
    squirrel.write("list.txt", format!("{url}/listed\n"));
    squirrel.write(
        "sites.toml",
        format!(
            "[monitor]\nuser_agent = \"all\"\nheaders = {{ X-From = \"monitor\" }}\n\
             include = [{{ file = \"list.txt\", tags = [\"api\"] }}]\n\n\
             [[defaults]]\ntags = [\"api\"]\nmethod = \"GET\"\nbearer = {{ env = \"TOKEN\" }}\n\
             headers = {{ X-From = \"api\" }}\n\n\
             [[defaults]]\ntags = [\"late\"]\nheaders = {{ X-From = \"late\" }}\n\n\
             [[sites]]\nname = \"plain\"\nurl = \"{url}/plain\"\n\n\
             [[sites]]\nname = \"api\"\nurl = \"{url}/api\"\ntags = [\"api\"]\n\n\
             [[sites]]\nname = \"both\"\nurl = \"{url}/both\"\ntags = [\"late\", \"api\"]\n\n\
             [[sites]]\nname = \"own\"\nurl = \"{url}/own\"\ntags = [\"api\"]\nmethod = \"auto\"\n\
             headers = {{ Authorization = \"Own hunter2-pw\" }}\n"
        ),
    );
    let finished = check(&squirrel, "threads");
    assert_eq!(
        finished.code(),
        0,
        "{} {}",
        text(&finished),
        finished.stderr
    );
    let posted = server.posted();
    let seen = |path: &str| {
        let one = posted.iter().find(|one| one.path == path).unwrap();
        let header = |name| one.header(name).unwrap_or("-").to_owned();
        let method = one.head.split(' ').next().unwrap_or_default().to_owned();
        [
            method,
            header("X-From"),
            header("Authorization"),
            header("User-Agent"),
        ]
        .join(" | ")
    };
    assert_eq!(seen("/plain"), "HEAD | monitor | - | all");
    assert_eq!(seen("/api"), "GET | api | Bearer hunter2-token | all");
    assert_eq!(seen("/listed"), seen("/api"));
    assert_eq!(seen("/both"), "GET | late | Bearer hunter2-token | all");
    assert_eq!(seen("/own"), "HEAD | - | Own hunter2-pw | all");
}

#[test]
fn what_cannot_be_sent_is_a_mistake_with_its_place_and_without_its_secret() {
    let site = "[[sites]]\nurl = \"http://127.0.0.1:1/\"\n";
    for (line, expected) in [
        (
            "bearer = { env = \"NOT_SET\" }",
            "3:18: sites[0].bearer.env: the environment variable NOT_SET is not set",
        ),
        (
            "bearer = { file = \"none\" }",
            "3:19: sites[0].bearer.file: the file cannot be read: ",
        ),
        (
            "headers = { X-A = \"a\\nhunter2-key: b\" }",
            "3:19: sites[0].headers.X-A: expected plain ASCII text that can stand in a header",
        ),
        (
            "headers = { \"X A\" = \"hunter2-key\" }",
            "sites[0].headers.\"X A\": expected the name of a header",
        ),
        (
            "headers = { Host = \"b.example\" }",
            "sites[0].headers.Host: the field Host is made from the URL",
        ),
        (
            "headers = { content-length = \"3\" }",
            "sites[0].headers.content-length: this field says how a message is sent",
        ),
        (
            "headers = { X-A = \"1\", x-a = \"2\" }",
            "sites[0].headers.x-a: this field is there already",
        ),
        (
            "headers = [\"hunter2-key\"]",
            "3:11: sites[0].headers: expected a table",
        ),
        (
            "bearer = \"hunter2-key\"\nbasic_auth = { user = \"a\", password = \"hunter2-pw\" }",
            "either `bearer` or `basic_auth`, not both",
        ),
        (
            "bearer = \"hunter2-key\"\nheaders = { authorization = \"hunter2-pw\" }",
            "the field Authorization is that of `bearer`",
        ),
        (
            "basic_auth = { user = \"a:b\", password = \"hunter2-pw\" }",
            "a user has no colon",
        ),
        (
            "basic_auth = { user = \"a\" }",
            "sites[0].basic_auth.password: this key is missing",
        ),
        (
            "method = \"POST\"\nbody = { env = \"NOT_SET\" }",
            "4:16: sites[0].body.env: the environment variable NOT_SET is not set",
        ),
        (
            "\n[[defaults]]\ninterval = \"1m\"",
            "defaults[0].tags: this key is missing",
        ),
        (
            "\n[[defaults]]\ntags = [\"apo\"]",
            "5:9: defaults[0].tags[0]: no site has the tag \"apo\"",
        ),
        (
            "\n[[defaults]]\ntags = [\"apo\"]\nurl = \"x\"",
            "6:1: defaults[0].url: unknown key \"url\"",
        ),
    ] {
        let squirrel = squirrel();
        squirrel.write("sites.toml", format!("{site}{line}\n"));
        for command in [&["check"][..], &["config", "check"]] {
            let args = command.iter().copied().chain(["--config", "sites.toml"]);
            let finished = squirrel.run(args);
            assert_eq!(finished.code(), 2, "{line}: {}", finished.stderr);
            assert!(
                finished.stderr.contains(expected),
                "{line}: {}",
                finished.stderr
            );
            assert!(
                !finished.stderr.contains("hunter2"),
                "{line}: {}",
                finished.stderr
            );
        }
    }
    // Credentials twice.
    let squirrel = squirrel();
    let text = "[[sites]]\nurl = \"http://a:hunter2-pw@127.0.0.1:1/\"\nbearer = \"hunter2-key\"\n";
    squirrel.write("sites.toml", text);
    let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
    assert!(
        finished
            .stderr
            .contains("2:7: sites[0].url: it has credentials"),
        "{}",
        finished.stderr
    );
    assert!(!finished.stderr.contains("hunter2"), "{}", finished.stderr);
}

/// What looks back needs no secret of a check.
#[test]
fn a_report_needs_no_secret() {
    let squirrel = Squirrel::new();
    squirrel.write(
        "sites.toml",
        "[[sites]]\nurl = \"http://127.0.0.1:1/\"\nbearer = { env = \"NOT_SET\" }\n",
    );
    squirrel.write("history.db", "");
    let finished = squirrel.run([
        "report",
        "--config",
        "sites.toml",
        "--history",
        "history.db",
    ]);
    assert!(!finished.stderr.contains("NOT_SET"), "{}", finished.stderr);
    let says = "history.db: no history of squirrel";
    assert!(finished.stderr.contains(says), "{}", finished.stderr);
}
