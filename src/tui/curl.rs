//! The command line that repeats a check: curl's, and those of other tools for other kinds.

use std::net::IpAddr;

use crate::domain::{
    AddressFamily, Authorization, CheckKind, CheckSpec, ConnectTo, ConnectionOptions, MaskedText,
    Method, ProxyCredentials, RequestHeader, clean,
};

/// The command line for a POSIX shell that repeats the request of a check. A password in the
/// URL stays masked.
pub(crate) fn curl(spec: &CheckSpec, method: Method) -> String {
    if let Some(line) = of_other_kind(spec) {
        return line;
    }
    let mut words = vec!["curl".to_owned(), "-sS".to_owned()];
    let mut word = |text: &str| words.push(text.to_owned());
    if method == Method::Head {
        word("-I");
    } else if !spec.reads_the_body() {
        // The head of the answer is what counts; the body would only fill the screen.
        word("-D - -o /dev/null");
    }
    if !matches!(method, Method::Head | Method::Get) {
        // Without -X a redirect that asks for GET is followed by one.
        if method != Method::Post || spec.options().body.is_none() {
            word(&format!("-X {}", method.word()));
        }
        if let Some(body) = &spec.options().body {
            let is_typed =
                |header: &RequestHeader| header.name.eq_ignore_ascii_case("content-type");
            if !spec.options().headers.iter().any(is_typed) {
                word("-H 'Content-Type:'");
            }
            word("--data-raw");
            word(&word_of(&[body]));
        }
    }
    match &spec.options().authorization {
        Some(Authorization::Bearer(token)) => {
            word("-H");
            word(&word_of(&[
                &MaskedText::open("Authorization: Bearer "),
                token,
            ]));
        }
        Some(Authorization::Basic { user, password }) => {
            word("-u");
            word(&word_of(&[user, &MaskedText::open(":"), password]));
        }
        None => {}
    }
    for RequestHeader { name, value } in &spec.options().headers {
        word("-H");
        word(&word_of(&[&MaskedText::open(format!("{name}: ")), value]));
    }
    connection(&spec.options().connection, &mut word);
    word("--max-time");
    word(&spec.timeout.as_secs_f64().to_string());
    // Curl would send header fields to whoever it is redirected to.
    if spec.max_redirects > 0 && !spec.options().have_secrets() {
        word(&format!("-L --max-redirs {}", spec.max_redirects));
    }
    word("-A");
    word(&quoted(&spec.user_agent));
    let url = spec.url.shown();
    if url.contains(['[', ']', '{', '}']) {
        word("-g");
    }
    word(&quoted(url));
    // Each line with one of them; what is judged as a whole is shown as a whole.
    if method != Method::Head && !spec.assertions().need_the_whole() {
        let texts: Vec<_> = spec
            .texts()
            .map(|text| format!("-e {}", quoted(text)))
            .collect();
        if !texts.is_empty() {
            word("| grep -F");
            texts.iter().for_each(|text| word(text));
        }
    }
    words.join(" ")
}

/// The options for the way to the server.
fn connection(options: &ConnectionOptions, word: &mut impl FnMut(&str)) {
    if !options.verifies() {
        word("-k");
    }
    match options.family() {
        AddressFamily::Any => {}
        AddressFamily::Ipv4 => word("-4"),
        AddressFamily::Ipv6 => word("-6"),
    }
    if let Some(ConnectTo { address, port }) = options.connect_to {
        let port = port.map_or_else(String::new, |port| port.to_string());
        let address = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        word(&format!("--connect-to '::{address}:{port}'"));
    }
    if let Some(server) = options.resolver {
        word(&format!("--dns-servers '{server}'"));
    }
    if options.client.is_some() {
        word("--cert \"$CLIENT_CERT\" --key \"$CLIENT_KEY\"");
    }
    if let Some(proxy) = &options.proxy {
        // The proxy gets the name, and a tunnel to it.
        let url = proxy.to_string().replace("socks5://", "socks5h://");
        word("-p -x");
        word(&quoted(&url));
        if let Some(ProxyCredentials { user, password }) = &proxy.credentials {
            word("-U");
            word(&word_of(&[&MaskedText::open(format!("{user}:")), password]));
        }
    }
}

/// The command line that repeats a check of another kind than http; `None` for http.
fn of_other_kind(spec: &CheckSpec) -> Option<String> {
    let options = spec.options();
    let seconds = spec.timeout.as_secs().max(1);
    let url = spec.url.parsed();
    let host = spec.url.host().trim_matches(['[', ']']);
    let port = url.and_then(url::Url::port).unwrap_or_default();
    let name = quoted(host);
    Some(match spec.kind() {
        CheckKind::Http => return None,
        CheckKind::Tcp => match &options.send {
            None => format!("nc -z -v -w {seconds} {name} {port}"),
            Some(text) if text.is_secret() => {
                let text = word_of(&[text]);
                format!("printf '%s' {text} | nc -w {seconds} {name} {port}")
            }
            Some(text) => {
                let text = quoted(&escaped(text.expose()));
                format!("printf '%b' {text} | nc -w {seconds} {name} {port}")
            }
        },
        CheckKind::Tls => {
            let place = quoted(spec.url.host_and_path());
            let begin = options.starttls.map_or_else(String::new, |protocol| {
                format!(" -starttls {}", protocol.word())
            });
            format!("openssl s_client -connect {place} -servername {name}{begin} </dev/null")
        }
        CheckKind::Dns => {
            let query = url.and_then(url::Url::query).unwrap_or_default();
            let kind = query.strip_prefix("type=").unwrap_or("A");
            let server = options
                .connection
                .resolver
                .map_or_else(String::new, |server| {
                    format!(" @{} -p {}", server.ip(), server.port())
                });
            format!("dig +noall +answer {name} {kind}{server}")
        }
        CheckKind::Ping => format!("ping -c 3 -w {seconds} {name}"),
    })
}

/// A text as the `%b` of printf(1) reads it.
fn escaped(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('\n', r"\n");
    escaped.replace('\r', r"\r").replace('\t', r"\t")
}

/// Texts as one word of a POSIX shell; a secret is what the shell makes of its mask.
fn word_of(parts: &[&MaskedText]) -> String {
    let is_expanded = |part: &MaskedText| part.is_secret() && part.shown() != MaskedText::NAMELESS;
    let all: String = parts.iter().map(|part| part.shown()).collect();
    if !parts.iter().any(|part| is_expanded(part)) {
        return quoted(&all);
    }
    let is_simple = |c: char| c.is_ascii_alphanumeric() || " .:@_/-".contains(c);
    let in_double_quotes =
        |part: &MaskedText| is_expanded(part) || part.shown().chars().all(is_simple);
    if parts.iter().all(|part| in_double_quotes(part)) {
        return format!("\"{all}\"");
    }
    let words = parts.iter().map(|part| match part {
        part if is_expanded(part) => format!("\"{}\"", part.shown()),
        part => format!("'{}'", part.shown().replace('\'', r"'\''")),
    });
    words.collect()
}

/// `text` as one word of a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", clean(text, usize::MAX / 8).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Assertions, CheckOptions, MaskedUrl, Proxy, ProxyProtocol};
    use crate::tui::fixture;
    use proptest::prelude::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn a_head_is_repeated_as_a_head() {
        let spec = fixture::spec("https://example.org/a?b=c&d");
        assert_eq!(
            curl(&spec, Method::Head),
            "curl -sS -I --max-time 10 -L --max-redirs 10 -A 'UptimeSquirrel/0.1.0' \
             'https://example.org/a?b=c&d'"
        );
    }

    #[test]
    fn a_get_shows_the_head_and_a_content_check_looks_for_the_text() {
        let mut spec = fixture::spec("http://[::1]:8080/");
        spec.timeout = Duration::from_millis(2_500);
        spec.max_redirects = 0;
        assert_eq!(
            curl(&spec, Method::Get),
            "curl -sS -D - -o /dev/null --max-time 2.5 -A 'UptimeSquirrel/0.1.0' -g \
             'http://[::1]:8080/'"
        );
        spec.contains = Some("it's up".into());
        assert!(curl(&spec, Method::Get).ends_with(r"| grep -F -e 'it'\''s up'"));
        spec.options = Some(Arc::new(CheckOptions {
            assertions: Assertions {
                contains: vec!["a".into(), "b".into()],
                ..Assertions::NONE
            },
            ..CheckOptions::default()
        }));
        spec.contains = None;
        assert!(curl(&spec, Method::Get).ends_with("/' | grep -F -e 'a' -e 'b'"));
        spec.options = Some(Arc::new(CheckOptions {
            assertions: Assertions {
                matches: vec!["a".into()],
                ..Assertions::NONE
            },
            ..CheckOptions::default()
        }));
        assert!(!curl(&spec, Method::Get).contains("/dev/null"));
        spec.options = Some(Arc::new(CheckOptions {
            body: Some(MaskedText::open("{\"it's\": 1}")),
            ..CheckOptions::default()
        }));
        let line = curl(&spec, Method::Post);
        let body = r#"-H 'Content-Type:' --data-raw '{"it'\''s": 1}' --max-time"#;
        assert!(line.contains(body) && !line.contains("-X"), "{line}");
        assert!(curl(&spec, Method::Put).contains("-X PUT -H 'Content-Type:'"));
    }

    #[test]
    fn other_kinds_are_repeated_by_the_usual_tools() {
        let mut spec = fixture::spec("tcp://db.example:5432");
        let line = |spec: &CheckSpec| curl(spec, Method::Head);
        assert_eq!(line(&spec), "nc -z -v -w 10 'db.example' 5432");
        let with = |options: CheckOptions| Some(Arc::new(options));
        spec.options = with(CheckOptions {
            send: Some(MaskedText::of_variable("s3cret", "GREETING")),
            ..CheckOptions::default()
        });
        let sent = "printf '%s' \"$GREETING\" | nc -w 10 'db.example' 5432";
        assert_eq!(line(&spec), sent);
        spec.options = with(CheckOptions {
            send: Some(MaskedText::open("PING \\ 'a'\r\n")),
            ..CheckOptions::default()
        });
        assert!(line(&spec).starts_with(r"printf '%b' 'PING \\ '\''a'\''\r\n' | nc "));
        spec = fixture::spec("tls://[::1]:587");
        spec.options = with(CheckOptions {
            starttls: Some(crate::domain::StartTls::Smtp),
            ..CheckOptions::default()
        });
        let asked =
            "openssl s_client -connect '[::1]:587' -servername '::1' -starttls smtp </dev/null";
        assert_eq!(line(&spec), asked);
        spec = fixture::spec("dns://a.example?type=MX");
        assert_eq!(line(&spec), "dig +noall +answer 'a.example' MX");
        spec.options = with(CheckOptions {
            connection: ConnectionOptions {
                resolver: "10.0.0.2:5353".parse().ok(),
                ..ConnectionOptions::default()
            },
            ..CheckOptions::default()
        });
        assert!(line(&spec).ends_with("'a.example' MX @10.0.0.2 -p 5353"));
        assert_eq!(
            line(&fixture::spec("ping://a.example")),
            "ping -c 3 -w 10 'a.example'"
        );
    }

    #[test]
    fn a_secret_is_what_the_shell_makes_of_its_name() {
        let mut spec = fixture::spec("https://example.org/");
        let header = |name: &str, value| RequestHeader {
            name: name.into(),
            value,
        };
        spec.options = Some(Arc::new(CheckOptions {
            headers: vec![
                header("X-Key", MaskedText::of_variable("s3cret", "KEY")),
                header("X-Plain", MaskedText::open("it's")),
                header("X-Token", MaskedText::secret("s3cret")),
                header("X-$", MaskedText::of_file("s3cret", "key")),
            ],
            authorization: Some(Authorization::Basic {
                user: MaskedText::open("me"),
                password: MaskedText::of_file("s3cret", "/run/pw"),
            }),
            ..CheckOptions::default()
        }));
        let line = curl(&spec, Method::Get);
        let words = r#"-u "me:$(cat /run/pw)" -H "X-Key: $KEY" -H 'X-Plain: it'\''s' -H 'X-Token: ***' -H 'X-$: '"$(cat key)" --max-time"#;
        assert!(line.contains(words) && !line.contains("s3cret"), "{line}");
        spec.options = Some(Arc::new(CheckOptions {
            authorization: Some(Authorization::Bearer(MaskedText::of_variable(
                "s3cret", "TOKEN",
            ))),
            ..CheckOptions::default()
        }));
        let line = curl(&spec, Method::Get);
        assert!(
            line.contains(r#"-H "Authorization: Bearer $TOKEN""#),
            "{line}"
        );
    }

    #[test]
    fn a_password_is_never_copied() {
        let spec = fixture::spec("https://ann:s3cret@example.org/");
        assert!(curl(&spec, Method::Head).ends_with("'https://ann:***@example.org/'"));
    }

    #[test]
    fn the_way_to_the_server_is_that_of_the_check() {
        let mut spec = fixture::spec("https://example.org/");
        let password = MaskedText::of_variable("hunter2", "PW");
        spec.options = Some(Arc::new(CheckOptions {
            connection: ConnectionOptions {
                verify: Some(false),
                family: Some(AddressFamily::Ipv6),
                connect_to: Some(ConnectTo {
                    address: "2001:db8::1".parse().unwrap(),
                    port: None,
                }),
                resolver: Some("10.0.0.2:53".parse().unwrap()),
                client: None,
                proxy: Some(Proxy {
                    protocol: ProxyProtocol::Socks5,
                    host: "p.example".into(),
                    port: 1080,
                    credentials: Some(ProxyCredentials {
                        user: "me".into(),
                        password,
                    }),
                }),
            },
            ..CheckOptions::default()
        }));
        assert_eq!(
            curl(&spec, Method::Head),
            "curl -sS -I -k -6 --connect-to '::[2001:db8::1]:' --dns-servers '10.0.0.2:53' -p -x \
             'socks5h://p.example:1080' -U \"me:$PW\" --max-time 10 -A 'UptimeSquirrel/0.1.0' \
             'https://example.org/'"
        );
    }

    proptest! {
        #[test]
        fn a_shell_reads_every_word_back_as_it_was(text in "[ -~]{0,30}") {
            let mut spec = fixture::spec("http://a/");
            spec.url = MaskedUrl::new(format!("http://a/{text}x"));
            // A shell of ten lines: blanks part words, quotes keep them.
            let line = curl(&spec, Method::Head);
            let (mut words, mut quoted, mut chars) = (vec![String::new()], false, line.chars());
            while let Some(c) = chars.next() {
                match c {
                    '\'' => quoted = !quoted,
                    '\\' if !quoted => words.last_mut().unwrap().extend(chars.next()),
                    ' ' if !quoted => words.push(String::new()),
                    c => words.last_mut().unwrap().push(c),
                }
            }
            prop_assert!(!quoted);
            prop_assert_eq!(words.last().unwrap(), &clean(spec.url.shown(), 1_000));
        }
    }
}
