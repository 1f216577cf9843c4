//! What reads bytes of others, and the memory that each may take for it.
//!
//! Beyond a panic, a target fails where its own word is broken: a text that is shown holds a
//! character that a terminal acts on, an edit of the configuration does not read back.

use std::pin::pin;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use uptime_squirrel::config::{self, KnownNames};
use uptime_squirrel::domain::{
    Assertions, CheckOptions, CheckResult, CheckSpec, HeaderAssertion, JsonAssertion, MaskedUrl,
    SiteField, is_unsafe,
};
use uptime_squirrel::import::{ALL, ImportFile, convert, position};
use uptime_squirrel::probe::wire;
use uptime_squirrel::{command, paradigm, probe};

use super::memory::peak;
use super::{database, terminal};

/// One reader of bytes.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    run: fn(&[u8]),
    /// Bytes that it may hold at once: these, and so many for each byte of the input.
    most: (usize, usize),
    /// Words of its grammar, for mutations.
    pub(crate) words: &'static [&'static str],
}

const KIB: usize = 1 << 10;

/// Every reader.
pub(crate) const TARGETS: [Target; 19] = [
    Target {
        name: "config",
        run: config,
        most: (512 * KIB, 400),
        words: &[
            "[monitor]",
            "[[sites]]",
            "[owners.ops]",
            "[notify.email]",
            "[history]",
            "[queue]",
            "[workers]",
            "[[maintenance]]",
            "interval = ",
            "timeout = ",
            "url = ",
            "name = ",
            "paused = true",
            "parent = ",
            "owners = [",
            "maintenance = [{",
            "expect_status = ",
            "contains = ",
            "tags = ",
            "\"5m\"",
            "\"30s\"",
            "\"0s\"",
            "{ env = \"X\" }",
            "\"\"\"",
            "'''",
            "\\u0000",
            "\\U0010FFFF",
            "1979-05-27T07:32:00Z",
            "inf",
            "nan",
            "0x",
            "\"200-299,301\"",
            "{ days = ",
            "start = ",
            "https://u:p@[::1]:65536/",
        ],
    },
    Target {
        name: "list",
        run: list,
        // Five bytes can be a site.
        most: (256 * KIB, 1_500),
        words: &[
            "https://", "http://", " # ", "\r\n", "xn--", "[::1]", ":0", "@", "%00", "\u{feff}",
        ],
    },
    Target {
        name: "kuma",
        run: kuma,
        most: (512 * KIB, 600),
        words: &[
            "\"monitorList\":",
            "\"type\":\"http\"",
            "\"url\":",
            "\"interval\":",
            "\"tags\":",
            "\"accepted_statuscodes\":",
            "\"200-299\"",
            "\"maxretries\":",
            "\"keyword\":",
            "\"parent\":",
            "\"notificationIDList\":",
            "\"active\":",
            "\"timeout\":",
            "1e999",
        ],
    },
    Target {
        name: "gatus",
        run: gatus,
        // As said in `import/yaml_tree.rs`: half a million nodes at most, however they come about.
        most: (8 << 20, 2_000),
        words: &[
            "endpoints:\n",
            "- name: ",
            "  url: ",
            "  interval: ",
            "  conditions:\n",
            "&a ",
            "*a",
            "<<: *a",
            "[STATUS] == 200",
            "[STATUS] == any(",
            "[RESPONSE_TIME] < ",
            "[CERTIFICATE_EXPIRATION] > ",
            "[BODY] == pat(*",
            "!!binary ",
            "|\n",
            ">-\n",
            "? ",
            "---\n",
            "...\n",
            "%YAML 1.2",
            "\"\\x9b\"",
            "external-endpoints:\n",
        ],
    },
    Target {
        name: "blackbox",
        run: blackbox,
        most: (8 << 20, 2_000),
        words: &[
            "modules:\n",
            "scrape_configs:\n",
            "static_configs:\n",
            "targets: [",
            "prober: http",
            "valid_status_codes: [",
            "params: {module: [",
            "scrape_interval: ",
            "labels: {",
            "&a ",
            "*a",
            "fail_if_body_not_matches_regexp: [",
            "follow_redirects: ",
            "timeout: ",
        ],
    },
    Target {
        name: "history_lines",
        run: history_lines,
        most: (256 * KIB, 64),
        words: &[
            "{\"at\":\"",
            "\"name\":",
            "\"url\":",
            "\"verdict\":\"up\"",
            "\"missed\"",
            "\"reason\":",
            "\"latency_ms\":",
            "\"late_ms\":",
            "1e308",
            "-0.0",
            "18446744073709551616",
            "at,name,url,verdict,reason,status,latency_ms,late_ms\n",
            "\"\"",
            "'=",
            "-009999-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
        ],
    },
    Target {
        name: "database",
        run: database::read,
        // SQLite's caches of three readers.
        most: (24 << 20, 200),
        words: database::WORDS,
    },
    Target {
        name: "child",
        run: child,
        most: (64 * KIB, 64),
        words: &[],
    },
    Target {
        name: "task",
        run: task,
        most: (64 * KIB, 64),
        words: &[
            "\"body\":",
            "\"headers\":{",
            "\"properties\":{",
            "\"id\":",
            "\"task\":",
            "\"expires\":",
            "\"eta\":",
            "\"retries\":",
            "\"delivery_tag\":",
            "\"delivery_info\":{}",
            "\"body_encoding\":",
            "\"base64\"",
            "\"utf-8\"",
            "\"content-type\":\"application/json\"",
            "[[{",
            "}],{},null]",
            "\"job\":",
            "\"look\":",
            "\"trust\":",
            "\"secs\":",
            "\"nanos\":",
            "1e999",
            "\\ud800",
        ],
    },
    Target {
        name: "task_result",
        run: task_result,
        most: (64 * KIB, 64),
        words: &[
            "\"status\":\"SUCCESS\"",
            "\"FAILURE\"",
            "\"REVOKED\"",
            "\"STARTED\"",
            "\"result\":",
            "\"exc_message\":",
            "\"exc_type\":",
            "\"date_done\":",
            "\"pid\":",
            "\"hostname\":",
            "\"began\":",
            "\"check\":",
            "\"notes\":",
            "\"slices\":[",
            "\"steps\":[",
            "\"requests\":[",
            "\"certificate\":",
            "\"secs\":18446744073709551615",
            "\"nanos\":999999999",
            "1e308",
            "\\u001b",
        ],
    },
    Target {
        name: "task_event",
        run: task_event,
        most: (64 * KIB, 64),
        words: &[
            "\"body\":\"{",
            "\"headers\":{",
            "\"clock\":",
            "\"expires\":",
            "\"properties\":{",
            "\"method\":",
            "\"pattern\":",
            "\"destination\":[",
            "\"hostname\":",
            "\"freq\":",
            "\"timestamp\":",
            "\"type\":\"worker-heartbeat\"",
            "*?[!a-",
            "\"sw_ident\":",
            "1e308",
        ],
    },
    Target {
        name: "http1",
        run: http1,
        // As said in `probe/exchange/bounded.rs`: a head of 32 KiB, twice that on the way.
        most: (256 * KIB, 8),
        words: &[
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.0 ",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 101 ",
            "Content-Length: ",
            "Transfer-Encoding: chunked\r\n",
            "Location: ",
            "\r\n\r\n",
            "Content-Encoding: gzip\r\n",
            "Connection: close\r\n",
            "Trailer: ",
            "0\r\n\r\n",
            "ffffffffffffffff\r\n",
            "needle",
            "HTTP/1.1 302 \r\n",
            "Upgrade: h2c\r\n",
            "\r\n ",
            "//",
            "https://u:p@h/",
            "javascript:",
            "?",
            "#",
        ],
    },
    Target {
        name: "http2",
        run: http2,
        most: (512 * KIB, 16),
        words: &[
            // SETTINGS, its acknowledgement, WINDOW_UPDATE, PING, RST_STREAM, GOAWAY.
            "\0\0\0\x04\0\0\0\0\0",
            "\0\0\0\x04\x01\0\0\0\0",
            "\0\0\x04\x08\0\0\0\0\0\0\0\0\x01",
            "\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "\0\0\x04\x03\0\0\0\0\x01\0\0\0\0",
            "\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0",
            "\0\0\x01\x01\x04\0\0\0\x01",
            "\x7f",
            "\0\0\x06\0\x01\0\0\0\x01needle",
            "\0\0\0\x09\x04\0\0\0\x01",
        ],
    },
    Target {
        name: "starttls",
        run: starttls,
        most: (512 * KIB, 64),
        words: &[
            "220 a\r\n",
            "250-STARTTLS\r\n",
            "250 STARTTLS\r\n",
            "* OK\r\n",
            "a OK\r\n",
            "+OK\r\n",
            "S",
            "<stream:features>",
            "urn:ietf:params:xml:ns:xmpp-tls",
            "</stream:features>",
            "<proceed/>",
            "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0",
            "\x30\u{81}",
            "\x78\u{81}",
        ],
    },
    Target {
        name: "certificate",
        run: certificate,
        most: (64 * KIB, 64),
        words: &[
            "\x30",
            "\x02\x01",
            "\x06\x03\x55\x04\x03",
            "\x0c",
            "\x17\x0d",
            "\x18\x0f",
            "\x05\0",
            "-----BEGIN CERTIFICATE-----\n",
            "-----END CERTIFICATE-----\n",
            "9912312359590Z",
        ],
    },
    Target {
        name: "name_reply",
        run: name_reply,
        // A record of twelve bytes may be one of dozens.
        most: (64 * KIB, 200),
        words: &[
            "\x01a\x04test\0",
            "\0\x01\0\x01",
            "\0\x1c\0\x01",
            "\0\x05\0\x01",
            "\u{c0}\x0c",
            "\0\0\x0e\x10\0\x04",
            "\u{81}\u{80}",
            "\u{83}\u{80}",
        ],
    },
    Target {
        name: "name_files",
        run: name_files,
        most: (64 * KIB, 200),
        words: &[
            "nameserver ",
            "search ",
            "domain ",
            "options ",
            "ndots:",
            "timeout:",
            "attempts:",
            "127.0.0.1 ",
            "fe80::1%lo ",
            "localhost",
            "#",
            ";",
        ],
    },
    Target {
        name: "tls_hello",
        run: tls_hello,
        most: (64 * KIB, 16),
        words: &[
            "\x16\x03\x03",
            "\x15\x03\x03",
            "\x02\0\0",
            "\x03\x03",
            "\x13\x01",
        ],
    },
    Target {
        name: "terminal",
        run: terminal::read,
        most: (1 << 20, 256),
        words: &[
            "\x1b[200~",
            "\x1b[201~",
            "\x1b[A",
            "\x1b[1;5A",
            "\x1b[I",
            "\x1b[O",
            "\x1b[<0;1;1M",
            "\x1b[M !!",
            "\x1bOP",
            "\x1b[15~",
            "\x1b[97;5u",
            "\x1b[?1u",
            "\x1b\x1b",
            "\x1b[1;1R",
            "/",
            "?",
            "j",
            "k",
            "q",
            "\r",
            "\t",
            "S",
            "\x15",
            "\x17",
            "\u{202e}",
        ],
    },
];

impl Target {
    /// The target of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Makes what is made once for all inputs, which is memory of none of them.
    pub(crate) fn warm_up(&self, bytes: &[u8]) {
        (self.run)(bytes);
    }

    /// Reads an input; gives the bytes of memory that it took.
    ///
    /// # Panics
    /// Where the reader panics, breaks its word, or takes more memory than it may.
    pub(crate) fn take(&self, bytes: &[u8]) -> usize {
        let took = peak(|| (self.run)(bytes));
        let most = self.most.0 + self.most.1 * bytes.len();
        assert!(
            took <= most,
            "{}: {took} bytes of memory for {} of input, at most {most}",
            self.name,
            bytes.len()
        );
        took
    }
}

static PARADIGMS: LazyLock<Vec<&'static str>> = LazyLock::new(|| paradigm::names().to_vec());

pub(super) fn known() -> KnownNames<'static> {
    KnownNames {
        paradigms: &PARADIGMS,
        channels: &uptime_squirrel::notify::KNOWN_CHANNELS,
    }
}

/// What is shown holds no character that a terminal acts on.
#[track_caller]
fn assert_safe(shown: &str) {
    let bad = shown.chars().find(|c| *c != '\n' && is_unsafe(*c));
    assert!(bad.is_none(), "{bad:?} in {shown:?}");
}

/// Polls what never has to wait: its other side has sent everything.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("it waits for more, though the other side has closed");
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn config(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let config = match config::fuzzing::parse_alone(text, &known()) {
        Ok(config) => config,
        Err(mistakes) => {
            assert_safe(&mistakes.to_string());
            assert_safe(&mistakes.detailed());
            return;
        }
    };
    for site in 0..config.sites.len().min(2) {
        let edited = config::fuzzing::pause_and_resume(text, &config, site, &known());
        for edited in edited.into_iter().flat_map(<[String; 2]>::from) {
            let again = config::fuzzing::parse_alone(&edited, &known());
            let sites = again.map(|config| config.sites.len());
            assert_eq!(sites.ok(), Some(config.sites.len()), "{edited}");
        }
    }
    let url = "https://fuzzed.example/added".to_owned();
    let values = vec![(SiteField::Url, url)];
    let edited = config::fuzzing::add_and_delete(text, values, &known());
    for (edited, more) in edited
        .into_iter()
        .flat_map(|(added, deleted)| [(added, 1), (deleted, 0)])
    {
        let again = config::fuzzing::parse_alone(&edited, &known());
        let sites = again.map(|config| config.sites.len());
        assert_eq!(sites.ok(), Some(config.sites.len() + more), "{edited}");
    }
}

fn list(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Err(mistakes) = config::fuzzing::parse_list(text) {
        assert_safe(&mistakes.to_string());
    }
    import("list", text);
}

fn kuma(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        import("kuma", text);
    }
}

fn gatus(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        import("gatus", text);
    }
}

fn blackbox(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        import("blackbox", text);
    }
}

/// Imports a configuration; what comes of it is in order.
pub(super) fn import(format: &str, text: &str) {
    let format = &ALL[position(format).expect("a format")];
    let file = ImportFile { name: "file", text };
    match convert(format, &[file], &known()) {
        Ok(converted) => assert_safe(&converted.toml),
        Err(error) => {
            let sentence = error.to_string();
            assert_safe(&sentence);
            assert!(!sentence.contains("not in order"), "{sentence}");
        }
    }
}

fn history_lines(bytes: &[u8]) {
    let is_csv = bytes.starts_with(b"at,name,url,");
    let (_, mistake) = command::fuzzing::history_lines(bytes, is_csv);
    if let Some(mistake) = mistake {
        assert_safe(&mistake);
    }
}

fn child(bytes: &[u8]) {
    let mut frames = bytes;
    let _hello = finish(wire::receive::<wire::Hello>(&mut frames));
    let _task = finish(wire::receive::<wire::ReceivedTask>(&mut frames));
    let _ready = finish(wire::receive::<wire::Ready>(&mut { bytes }));
    let _task = finish(wire::receive::<wire::ReceivedTask>(&mut { bytes }));
    let _reply = finish(paradigm::fuzzing::child_reply(bytes));
}

fn task(bytes: &[u8]) {
    if let Err(sentence) = paradigm::fuzzing::task(bytes) {
        assert_safe(&sentence);
    }
}

fn task_result(bytes: &[u8]) {
    match paradigm::fuzzing::task_result(bytes, &spec(None)) {
        Some(Ok(result)) => assert_result(&result),
        Some(Err(sentence)) => assert_safe(&sentence),
        None => {}
    }
}

fn task_event(bytes: &[u8]) {
    for text in paradigm::fuzzing::task_event(bytes) {
        assert_safe(&text);
    }
}

fn spec(contains: Option<&str>) -> CheckSpec {
    CheckSpec {
        contains: contains.map(Into::into),
        ..CheckSpec::new(MaskedUrl::new("http://ann:s3cret@example.org/path?query"))
    }
}

/// What is stored and shown of a check.
fn assert_result(result: &CheckResult) {
    for sentence in result
        .error
        .iter()
        .chain(result.requests.iter().map(|request| &request.note))
    {
        assert_safe(sentence);
        assert!(sentence.chars().count() <= 400, "{sentence}");
    }
    for request in &result.requests {
        assert_safe(&request.url);
        assert!(!request.url.contains("s3cret"), "{}", request.url);
    }
    if let Some(certificate) = &result.certificate {
        assert_safe(&certificate.subject);
        assert_safe(&certificate.issuer);
    }
    assert_safe(&result.ran_on.host);
    assert_safe(&result.ran_on.thread);
}

/// A check with an assertion of every kind that reads what the server sends.
fn demanding() -> CheckSpec {
    let json = |path: &str| JsonAssertion {
        path: path.into(),
        ..JsonAssertion::default()
    };
    let assertions = Assertions {
        contains_not: vec!["Eichh\u{f6}rnchen".into()],
        matches: vec![r"(\w|a)*".into()],
        json: vec![json("$.a[1].b"), json("$..a[?@.b > 1]"), json("$[*][-1:]")],
        ..Assertions::NONE
    };
    CheckSpec {
        options: Some(Arc::new(CheckOptions {
            assertions,
            ..CheckOptions::default()
        })),
        ..spec(None)
    }
}

fn answer(bytes: &[u8], http2: bool) {
    let some = 1 + bytes.len() % 61;
    let header = HeaderAssertion {
        name: "content-type".into(),
        begins: "text".into(),
    };
    let assertions = Assertions {
        header: vec![header],
        ..Assertions::NONE
    };
    let with_header = CheckSpec {
        options: Some(Arc::new(CheckOptions {
            assertions,
            ..CheckOptions::default()
        })),
        ..spec(None)
    };
    let specs = [
        (with_header, usize::MAX),
        (spec(Some("needle")), some),
        (demanding(), some),
    ];
    for (spec, step) in specs {
        let result = finish(probe::fuzzing::answer(bytes, http2, step, &spec));
        assert_result(&result);
        assert_eq!(result.reason.is_some(), result.error.is_some());
    }
}

fn http1(bytes: &[u8]) {
    answer(bytes, false);
}

fn http2(bytes: &[u8]) {
    answer(bytes, true);
}

fn starttls(bytes: &[u8]) {
    let begun = finish(probe::fuzzing::starttls(bytes));
    // Nothing begins without a word of the server.
    assert!(!begun || !bytes.is_empty());
}

fn certificate(bytes: &[u8]) {
    if let Some((certificate, sentences)) = probe::fuzzing::certificate(bytes) {
        assert_safe(&certificate.subject);
        assert_safe(&certificate.issuer);
        assert!(certificate.subject.chars().count() <= 100);
        // A check's error is cleaned where it becomes part of the result.
        for sentence in sentences {
            assert!(sentence.len() < 2_000);
        }
    }
    if let Some(text) = text(bytes) {
        let _certificates = probe::fuzzing::authority(text);
    }
}

fn name_reply(bytes: &[u8]) {
    match probe::fuzzing::name_reply(bytes) {
        Ok(count) => assert!(count <= bytes.len() / 12),
        Err(sentence) => assert_safe(sentence),
    }
}

fn name_files(bytes: &[u8]) {
    let (servers, addresses) = probe::fuzzing::name_files(bytes);
    assert!((1..=3).contains(&servers), "{servers}");
    assert!(
        (1..=2 + bytes.len() / 11).contains(&addresses),
        "{addresses}"
    );
}

fn tls_hello(bytes: &[u8]) {
    if let Some(words) = probe::fuzzing::tls_hello(bytes) {
        assert_safe(words);
    }
}
