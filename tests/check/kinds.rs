//! Checks of other kinds than http against real servers, under every paradigm.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::{A, MX, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use serde_json::Value;

use crate::support::{CertKind, Fleet, MailServer, Privacy, Redis, Squirrel, paradigms};

/// A program with a list of these sites: a name, a URL, and further keys.
fn squirrel(fleet: &Fleet, sites: &[(&str, String, &str)]) -> Squirrel {
    let squirrel = Squirrel::new();
    squirrel.write("ca.pem", fleet.certificates().ca_pem());
    let mut text =
        "[monitor]\ntimeout = \"2s\"\nslow = \"2s\"\nca_file = \"ca.pem\"\ncanaries = []\n"
            .to_owned();
    for (name, url, keys) in sites {
        text.push_str(&format!(
            "\n[[sites]]\nname = \"{name}\"\nurl = \"{url}\"\n{keys}\n"
        ));
    }
    squirrel.write("sites.toml", text);
    squirrel
}

/// Checks them under a paradigm: name, verdict and reason of each, and the lines.
fn check(squirrel: &Squirrel, paradigm: &str) -> (Vec<String>, Vec<Value>) {
    let finished = squirrel.run([
        "check",
        "--config",
        "sites.toml",
        "--paradigm",
        paradigm,
        "--workers",
        "8",
        "--format",
        "json",
    ]);
    let mut lines = finished.objects();
    lines.sort_by_key(|line| line["name"].as_str().unwrap_or_default().to_owned());
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let verdicts = lines.iter().map(|line| {
        format!(
            "{} {} {}",
            word(&line["name"]),
            word(&line["verdict"]),
            word(&line["reason"])
        )
    });
    (verdicts.collect(), lines)
}

/// A server that does this with each connection.
fn serve(talk: impl Fn(std::net::TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let talk = Arc::new(talk);
    // Both end with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let talk = Arc::clone(&talk);
            thread::spawn(move || talk(stream));
        }
    });
    address
}

#[test]
fn a_port_is_up_where_somebody_takes_the_connection_and_says_what_is_expected() {
    let fleet = Fleet::new();
    let redis = Redis::with(&["--port", "0"]);
    let socket = redis.socket();
    // A real Redis, through a port.
    let real = serve(move |mut stream| {
        let mut behind = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let mut bytes = [0; 64];
        let count = stream.read(&mut bytes).unwrap_or(0);
        behind.write_all(&bytes[..count]).unwrap();
        let count = behind.read(&mut bytes).unwrap_or(0);
        let _gone = stream.write_all(&bytes[..count]);
    });
    let silent = serve(|stream| {
        let mut stream = stream;
        let _ended = stream.read(&mut [0; 1]);
    });
    let closes = serve(drop);
    let parted = serve(|mut stream| {
        for part in ["wel", "come ", "\u{1b}[31mhome"] {
            let _gone = stream.write_all(part.as_bytes());
            let _gone = stream.flush();
        }
        let _ended = stream.read(&mut [0; 1]);
    });
    let floods = serve(|mut stream| while stream.write_all(&[b'x'; 4_096]).is_ok() {});
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let at = |address: SocketAddr| format!("tcp://{address}");
    let squirrel = squirrel(
        &fleet,
        &[
            ("a connects", at(silent), ""),
            (
                "b redis",
                at(real),
                "send = \"PING\\r\\n\"\nexpect = \"+PONG\"",
            ),
            ("c refused", at(free), ""),
            ("d silent", at(silent), "expect = \"220\""),
            ("e closes", at(closes), "expect = \"220\""),
            ("f parted", at(parted), "expect = [\"welcome\", \"home\"]"),
            ("g other", at(parted), "expect = \"goodbye\""),
            ("h floods", at(floods), "expect = \"220\""),
            ("i nowhere", "tcp://no.such.invalid:1".to_owned(), ""),
        ],
    );
    for paradigm in paradigms() {
        let (verdicts, lines) = check(&squirrel, paradigm);
        assert_eq!(
            verdicts,
            [
                "a connects up -",
                "b redis up -",
                "c refused down refused",
                "d silent down timeout",
                "e closes down closed",
                "f parted up -",
                "g other down content",
                "h floods down content",
                "i nowhere down dns",
            ],
            "{paradigm}"
        );
        let line = &lines[0];
        assert_eq!(
            (&line["kind"], &line["method"], &line["status"]),
            (&"tcp".into(), &Value::Null, &Value::Null)
        );
        assert!(line["phases"]["connect_ms"].is_number(), "{line}");
        assert!(
            lines[1]["phases"]["first_byte_ms"].is_number(),
            "{}",
            lines[1]
        );
        let error = lines[6]["error"].as_str().unwrap();
        assert!(
            error.contains("expected \"goodbye\", got \"welcome ") && !error.contains('\u{1b}'),
            "{error}"
        );
    }
}

#[test]
fn a_certificate_is_judged_wherever_tls_begins() {
    let mut fleet = Fleet::new();
    let plain = |kind: &str| format!("tls = \"{kind}\"\n'*' = ['HTTP/1.1 200 OK\\r\\n\\r\\n']");
    let mut server = |kind: &str| {
        let server = fleet.serve(toml::from_str(&plain(kind)).unwrap());
        format!("tls://{}", server.authority)
    };
    let (good, expired) = (server("good"), server("expired"));
    let mail = MailServer::start(&fleet, Privacy::StartTls);
    let old_mail = MailServer::with_certificate(&fleet, Privacy::StartTls, CertKind::Expired);
    let bare_mail = MailServer::start(&fleet, Privacy::None);
    let clear = serve(|mut stream| {
        let _gone = stream.write_all(b"220 hello\r\n");
        let _ended = stream.read(&mut [0; 1]);
    });
    let adds = serve(|mut stream| {
        let mut bytes = [0; 256];
        let _asked = stream.read(&mut bytes);
        let _gone = stream.write_all(b"SX");
        let _ended = stream.read(&mut bytes);
    });
    let at = |address: SocketAddr| format!("tls://{address}");
    let smtp = "starttls = \"smtp\"";
    let squirrel = squirrel(
        &fleet,
        &[
            ("a good", good, ""),
            ("b expired", expired, ""),
            ("c mail", at(mail.address), smtp),
            ("d old mail", at(old_mail.address), smtp),
            ("e bare mail", at(bare_mail.address), smtp),
            ("f no tls", at(clear), ""),
            ("g no postgres", at(clear), "starttls = \"postgres\""),
            ("h adds", at(adds), "starttls = \"postgres\""),
        ],
    );
    for paradigm in paradigms() {
        let (verdicts, lines) = check(&squirrel, paradigm);
        assert_eq!(
            verdicts,
            [
                "a good up -",
                "b expired down tls",
                "c mail up -",
                "d old mail down tls",
                "e bare mail down tls",
                "f no tls down tls",
                "g no postgres down protocol",
                "h adds down tls",
            ],
            "{paradigm}"
        );
        for line in [&lines[0], &lines[2]] {
            let days = line["cert_days_left"].as_f64().unwrap_or_default();
            assert!((80.0..=91.0).contains(&days), "{line}");
            assert!(line["phases"]["tls_ms"].is_number(), "{line}");
            assert_eq!(line["kind"], "tls");
        }
        assert!(
            lines[7]["error"]
                .as_str()
                .unwrap()
                .contains("may have added"),
            "{}",
            lines[7]
        );
    }
}

/// A name server that knows a few names.
fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut bytes = [0; 4_096];
        while let Ok((length, asker)) = socket.recv_from(&mut bytes) {
            let Ok(query) = Message::from_vec(&bytes[..length]) else {
                continue;
            };
            let question = query.queries[0].clone();
            let mut reply = Message::new(query.id, MessageType::Response, query.op_code);
            reply.metadata.recursion_available = true;
            reply.add_query(question.clone());
            let name = question.name.to_string();
            let mail = |preference, host: &str| {
                RData::MX(MX::new(preference, Name::from_ascii(host).unwrap()))
            };
            let answers = match (name.as_str(), question.query_type) {
                ("site.example.", RecordType::A) => vec![
                    RData::A(A::new(192, 0, 2, 1)),
                    RData::A(A::new(192, 0, 2, 2)),
                ],
                ("site.example.", RecordType::MX) => {
                    vec![mail(10, "a.mail.example."), mail(20, "b.mail.example.")]
                }
                ("site.example.", RecordType::TXT) => vec![RData::TXT(TXT::new(vec![
                    "v=spf1 ".to_owned(),
                    "-all".to_owned(),
                ]))],
                ("site.example.", _) => Vec::new(),
                ("broken.example.", _) => {
                    reply.metadata.response_code = ResponseCode::ServFail;
                    Vec::new()
                }
                _ => {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                    Vec::new()
                }
            };
            for data in answers {
                reply.add_answer(Record::from_rdata(question.name.clone(), 60, data));
            }
            socket.send_to(&reply.to_vec().unwrap(), asker).unwrap();
        }
    });
    address
}

#[test]
fn the_records_of_a_name_are_those_expected() {
    let fleet = Fleet::new();
    let resolver = format!("resolver = \"{}\"", name_server());
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = format!(
        "resolver = \"{}\"\ntimeout = \"1s\"",
        mute.local_addr().unwrap()
    );
    let with = |keys: &str| format!("{resolver}\n{keys}");
    let keys: Vec<(&str, &str, String)> = vec![
        ("a there", "dns://site.example", with("")),
        (
            "b one",
            "dns://site.example?type=a",
            with("expect = \"192.0.2.2\""),
        ),
        (
            "c other",
            "dns://site.example",
            with("expect = \"192.0.2.9\""),
        ),
        (
            "d set",
            "dns://site.example",
            with("expect = [\"192.0.2.2\", \"192.0.2.1\"]"),
        ),
        (
            "e less",
            "dns://site.example",
            with("expect = [\"192.0.2.1\"]"),
        ),
        (
            "f mail",
            "dns://site.example?type=MX",
            with("expect = \"10 A.mail.example\""),
        ),
        (
            "g text",
            "dns://site.example?type=TXT",
            with("expect = \"v=spf1 -all\""),
        ),
        ("h no data", "dns://site.example?type=AAAA", with("")),
        ("i gone", "dns://gone.example", with("")),
        ("j broken", "dns://broken.example", with("")),
        ("k silent", "dns://site.example", silent),
    ];
    let sites: Vec<_> = keys
        .iter()
        .map(|(name, url, keys)| (*name, (*url).to_owned(), keys.as_str()))
        .collect();
    let squirrel = squirrel(&fleet, &sites);
    for paradigm in paradigms() {
        let (verdicts, lines) = check(&squirrel, paradigm);
        assert_eq!(
            verdicts,
            [
                "a there up -",
                "b one up -",
                "c other down content",
                "d set up -",
                "e less down content",
                "f mail up -",
                "g text up -",
                "h no data down dns",
                "i gone down dns",
                "j broken down dns",
                "k silent down timeout",
            ],
            "{paradigm}"
        );
        let error = |at: usize| lines[at]["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(error(2), "expected A 192.0.2.9, got 192.0.2.1, 192.0.2.2");
        assert_eq!(error(7), "the name exists but has no AAAA record");
        assert_eq!(error(8), "the name does not exist");
        assert!(lines[0]["phases"]["dns_ms"].is_number(), "{}", lines[0]);
        assert_eq!(lines[0]["kind"], "dns");
    }
}

/// In a network of its own, where it is set who may ping.
#[test]
fn a_host_answers_a_ping_where_the_kernel_allows_one() {
    let nobody = [
        "a here unknown internal",
        "b six unknown internal",
        "c away unknown internal",
    ];
    let answered = ["a here up -", "b six up -", "c away down unreachable"];
    for (range, expected) in [("0 0", answered), ("", nobody)] {
        // A new network allows it to nobody.
        let set = match range {
            "" => "true".to_owned(),
            range => format!("echo '{range}' > /proc/sys/net/ipv4/ping_group_range"),
        };
        let script = format!("ip link set lo up && {set} && exec \"$@\"");
        let squirrel = Squirrel::new().through([
            "unshare",
            "--user",
            "--net",
            "--map-root-user",
            "sh",
            "-c",
            script.as_str(),
            "sh",
        ]);
        squirrel.write(
            "sites.toml",
            "[monitor]\ntimeout = \"2s\"\ncanaries = []\n\
             [[sites]]\nname = \"a here\"\nurl = \"ping://127.0.0.1\"\n\
             [[sites]]\nname = \"b six\"\nurl = \"ping://[::1]\"\n\
             [[sites]]\nname = \"c away\"\nurl = \"ping://192.0.2.1\"\n",
        );
        for paradigm in paradigms() {
            let (verdicts, lines) = check(&squirrel, paradigm);
            assert_eq!(verdicts, expected, "{paradigm} {range}: {lines:?}");
            if range.is_empty() {
                let error = lines[0]["error"].as_str().unwrap();
                assert!(error.contains("net.ipv4.ping_group_range"), "{error}");
            }
        }
    }
}

#[test]
fn wrong_urls_and_keys_of_other_kinds_are_mistakes() {
    for (site, expected) in [
        (
            "url = \"tcp://db.example\"",
            "2:7: sites[0].url: expected a URL such as \"tcp://db.example.org:5432\" (it has no port), got \"tcp://db.example\"",
        ),
        ("url = \"tcp://:1\"", "sites[0].url: expected a URL such as"),
        (
            "url = \"tcp://h:1/path\"",
            "(it has more than a host and a port)",
        ),
        (
            "url = \"tls://u:hunter2@h:1\"",
            "(it has more than a host and a port)",
        ),
        ("url = \"tcp://h:99999\"", "(invalid port number)"),
        (
            "url = \"tcp://h:1?x=1\"",
            "(it has a query, and needs none)",
        ),
        ("url = \"ping://h:1\"", "(it has a port, and needs none)"),
        (
            "url = \"dns://h?type=BOGUS\"",
            "(the types are A, AAAA, CAA,",
        ),
        (
            "url = \"tcp://h:1\"\ncontains = \"x\"",
            "3:12: sites[0].contains: a tcp check has no `contains`: it is a key of the kind http",
        ),
        (
            "url = \"tcp://h:1\"\nmethod = \"GET\"",
            "3:10: sites[0].method: a tcp check has no `method`",
        ),
        (
            "url = \"https://h\"\nexpect = \"x\"",
            "3:10: sites[0].expect: a http check has no `expect`",
        ),
        (
            "url = \"tcp://h:1\"\nstarttls = \"smtp\"",
            "sites[0].starttls: a tcp check has no `starttls`: it is a key of the kind tls",
        ),
        (
            "url = \"tls://h:1\"\nstarttls = \"smpt\"",
            "did you mean \"smtp\"?",
        ),
        (
            "url = \"dns://h\"\nresolver = \"ns.example\"",
            "sites[0].resolver: expected the address of a name server",
        ),
    ] {
        let squirrel = Squirrel::new();
        squirrel.write("sites.toml", format!("[[sites]]\n{site}\n"));
        let finished = squirrel.run(["config", "check", "--config", "sites.toml"]);
        assert_eq!(finished.code(), 2, "{site}");
        assert!(
            finished.stderr.contains(expected),
            "{site}: {}",
            finished.stderr
        );
        assert!(
            !finished.stderr.contains("hunter2"),
            "{site}: {}",
            finished.stderr
        );
    }
}
