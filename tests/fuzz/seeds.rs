//! Inputs that are made rather than kept: bytes whose forms change with the program's own, and
//! those that are no text.

use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde::Serialize;
use serde_json::{Value, json};
use uptime_squirrel::domain::{
    Certificate, CheckResult, CheckSpec, JobId, MaskedUrl, Method, Moment, Phases, RanOn, Reason,
    RequestRecord, SiteId, StatusSet, Timestamp, Verdict,
};
use uptime_squirrel::probe::ProberFactory;
use uptime_squirrel::probe::wire::{self, Hello, Ready, Task};

use super::database;

/// The inputs that are made for a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "child" => child(),
        "task" => vec![envelope(&arguments()).into_bytes()],
        "task_result" => vec![stored().into_bytes()],
        "certificate" => certificates(),
        "database" => database::sound(),
        "http2" => http2(),
        "name_reply" => name_replies(),
        "tls_hello" => tls_hellos(),
        "starttls" => [
            &b"220 a\r\n250-a\r\n250 STARTTLS\r\n220 go\r\n"[..],
            b"* OK\r\n* CAPABILITY\r\na OK\r\n",
            b"+OK\r\n+OK\r\n",
            b"S",
            b"<stream:features>urn:ietf:params:xml:ns:xmpp-tls</stream:features><proceed/>",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
        ]
        .map(<[u8]>::to_vec)
        .to_vec(),
        _ => Vec::new(),
    }
}

/// The readers take what is made for them: they are not met at their doors alone.
#[cfg(test)]
#[test]
fn what_is_made_is_in_order() {
    use uptime_squirrel::{paradigm, probe};

    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let frames = child();
    for frame in &frames[..2] {
        let mut frame = &frame[..];
        if frame.len() == frames[0].len() {
            let hello = runtime.block_on(wire::receive::<Hello>(&mut frame));
            assert_eq!(hello.expect("a hello").name, "worker 1");
        }
        let task = runtime.block_on(wire::receive::<wire::ReceivedTask>(&mut frame));
        assert_eq!(task.expect("a task").spec, spec());
    }
    let reply = runtime.block_on(paradigm::fuzzing::child_reply(&frames[3]));
    assert_eq!(reply.expect("a reply"), result());
    let task = paradigm::fuzzing::task(envelope(&arguments()).as_bytes());
    assert_eq!(task.expect("a task"), spec());
    let stored = paradigm::fuzzing::task_result(stored().as_bytes(), &spec());
    assert_eq!(
        stored.expect("a result").expect("of a check").status,
        Some(503)
    );
    let replies = name_replies();
    let found: Vec<_> = replies
        .iter()
        .map(|reply| probe::fuzzing::name_reply(reply))
        .collect();
    assert_eq!(found, [Ok(1), Ok(1), Ok(0), Ok(1)]);
    let words = tls_hellos()
        .into_iter()
        .map(|hello| probe::fuzzing::tls_hello(&hello).is_some());
    assert_eq!(words.collect::<Vec<_>>(), [true, true, false]);
    for certificate in certificates() {
        match std::str::from_utf8(&certificate) {
            Ok(pem) => assert_eq!(probe::fuzzing::authority(pem), Ok(1)),
            Err(_) => assert!(probe::fuzzing::certificate(&certificate).is_some()),
        }
    }
    let good = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nneedle";
    let good = runtime.block_on(probe::fuzzing::answer(good, false, 7, &spec()));
    assert_eq!((good.status, good.error), (Some(200), None));
    let answers = http2().into_iter().map(|bytes| {
        let spec = spec();
        let answer = probe::fuzzing::answer(&bytes, true, 7, &spec);
        let result = runtime.block_on(answer);
        (result.status, result.error)
    });
    let answers: Vec<_> = answers.collect();
    let statuses: Vec<_> = answers.iter().map(|answer| answer.0).collect();
    assert_eq!(
        statuses,
        [Some(200), Some(302), Some(200), None],
        "{answers:?}"
    );
}

fn job() -> JobId {
    JobId {
        site: SiteId::from_index(7),
        due: Moment::from_nanos(1 << 40),
    }
}

fn spec() -> CheckSpec {
    CheckSpec {
        expect_status: StatusSet::parse("200-299,301").expect("a set"),
        contains: Some("needle".into()),
        ..CheckSpec::new(MaskedUrl::new("https://ann:s3cret@example.org/"))
    }
}

fn result() -> CheckResult {
    let phases = Phases {
        dns: Some(Duration::from_micros(1)),
        connect: None,
        tls: Some(Duration::from_millis(9)),
        first_byte: Some(Duration::from_secs(1)),
    };
    CheckResult {
        job: job(),
        verdict: Verdict::Down,
        reason: Some(Reason::Status),
        error: Some("answered 503".into()),
        status: Some(503),
        started_at: Timestamp::from_micros(1_795_337_535_583_187),
        started: Moment::from_nanos(1 << 40),
        latency: Duration::from_millis(90),
        late: Duration::from_millis(3),
        phases,
        method: Method::Head,
        attempts: 1,
        redirects: 0,
        certificate: Some(Certificate {
            not_after: Timestamp::from_micros(1_795_337_535_000_000),
            subject: "example.org".into(),
            issuer: "an issuer".into(),
        }),
        requests: vec![RequestRecord {
            method: Method::Head,
            url: "https://example.org/".into(),
            address: Some([127, 0, 0, 1].into()),
            resolved: vec![[127, 0, 0, 1].into()],
            failed_connects: Vec::new(),
            status: Some(503),
            phases,
            took: Duration::from_millis(90),
            note: "answered 503".into(),
        }],
        ran_on: RanOn {
            host: "host".into(),
            pid: 1,
            tid: 2,
            thread: "thread".into(),
        },
    }
}

fn frame(message: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(wire::send(&mut bytes, message))
        .expect("a frame");
    bytes
}

fn child() -> Vec<Vec<u8>> {
    let factory = ProberFactory::http(None).expect("a factory");
    let hello = Hello {
        name: "worker 1".into(),
        config: factory.config().expect("its configuration").clone(),
        origin: Duration::from_secs(9),
        interpreter_lock: true,
    };
    let spec = spec();
    let task = Task::new(job(), &spec, true);
    let mut conversation = frame(&hello);
    conversation.extend(frame(&task));
    vec![
        conversation,
        frame(&task),
        frame(&Ready::Err("it cannot".into())),
        // A reply without the log of its polls.
        frame(&(result(), None::<()>)),
    ]
}

fn arguments() -> Value {
    let factory = ProberFactory::http(None).expect("a factory");
    json!([{
        "job": job(), "look": spec(), "traced": true,
        "trust": factory.config().expect("its configuration"),
    }])
}

/// A task of ours, whose body stands in it as text.
fn envelope(arguments: &Value) -> String {
    let body = json!([arguments, {}, {"callbacks": null, "chain": null}]);
    json!({
        "body": body.to_string(), "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "rust", "task": "squirrel.check", "id": "an-id", "retries": 0,
            "expires": "2026-11-24T23:41:28+00:00", "eta": null},
        "properties": {"correlation_id": "an-id", "delivery_tag": "a-tag",
            "delivery_info": {"exchange": "", "routing_key": "celery"}, "body_encoding": "utf-8"},
    })
    .to_string()
}

fn stored() -> String {
    let slice = |from: u64| json!({"ready": from, "start": from + 1, "end": from + 9, "tid": 2, "doing": "Running"});
    json!({
        "status": "SUCCESS", "traceback": null, "children": [], "task_id": "an-id",
        "date_done": "2026-11-24T23:36:29.732817+00:00",
        "result": {"check": result(), "notes": {"slices": [slice(0), slice(20)], "steps": [], "dropped": 0}},
    })
    .to_string()
}

fn certificates() -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    for name in [
        "example.org",
        "ex\u{e4}mple \u{202e}gro",
        &"long".repeat(60),
    ] {
        let mut params = CertificateParams::new(vec!["example.org".to_owned()]).expect("a name");
        let mut subject = DistinguishedName::new();
        subject.push(DnType::CommonName, name);
        subject.push(DnType::OrganizationName, "an organization");
        params.distinguished_name = subject;
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        made.push(certificate.der().to_vec());
        made.push(certificate.pem().into_bytes());
    }
    made
}

/// Frames of a server (RFC 9113): its settings, and an answer to the first stream. Headers are
/// entries of HPACK's static table (RFC 7541, appendix A) or literals without a code.
fn http2() -> Vec<Vec<u8>> {
    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("a short frame");
        [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
    }
    let (settings, acknowledged) = (frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]), frame(4, 1, 0, &[]));
    let ok = frame(1, 4, 1, b"\x88\x0f\x0d\x0213");
    let body = frame(0, 1, 1, b"<p>needle</p>");
    // 302 with a location.
    let redirect = frame(1, 5, 1, b"\x08\x03302\x0f\x1f\x04/two");
    let window = frame(8, 0, 0, &[0, 1, 0, 0]);
    vec![
        [&settings[..], &acknowledged, &ok, &body].concat(),
        [&settings[..], &window, &acknowledged, &redirect].concat(),
        // An answer of two pieces, a ping between, an end by the server.
        [
            &settings[..],
            &frame(1, 4, 1, b"\x88"),
            &frame(6, 0, 0, &[0; 8]),
            &frame(0, 0, 1, b"need"),
            &frame(0, 1, 1, b"le"),
            &frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
        ]
        .concat(),
        [&settings[..], &frame(3, 0, 1, &[0, 0, 0, 7])].concat(),
    ]
}

/// Replies to the question for `a.test`: its address, an alias with one, none, and one that was
/// cut short.
fn name_replies() -> Vec<Vec<u8>> {
    let reply = |head: &[u8], answers: &[&[u8]]| {
        let count = u8::try_from(answers.len()).unwrap_or_default();
        let question = b"\x01a\x04test\0\0\x01\0\x01";
        let counts = [0, 1, 0, count, 0, 0, 0, 0];
        [&[0, 7], head, &counts, question, &answers.concat()].concat()
    };
    let address = b"\xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\x0a\0\0\x01";
    let alias = b"\xc0\x0c\0\x05\0\x01\0\0\x0e\x10\0\x04\x01b\xc0\x0e";
    let other = b"\x01b\x04test\0\0\x01\0\x01\0\0\x0e\x10\0\x04\x0a\0\0\x02";
    vec![
        reply(b"\x81\x80", &[address]),
        reply(b"\x81\x80", &[alias, other]),
        reply(b"\x81\x83", &[]),
        reply(b"\x83\x80", &[address]),
    ]
}

/// What a server of TLS says first: which suite it chose, and that nothing fits.
fn tls_hellos() -> Vec<Vec<u8>> {
    let hello = |version: &[u8], suite: &[u8]| {
        let body = [version, &[7; 32], &[0], suite, &[0, 0, 0]].concat();
        let length = u8::try_from(body.len()).unwrap_or_default();
        [&[22, 3, 3, 0, length + 4, 2, 0, 0, length], &body[..]].concat()
    };
    vec![
        hello(&[3, 3], &[0, 0x2f]),
        hello(&[3, 1], &[0xc0, 0x13]),
        b"\x15\x03\x03\0\x02\x02\x28".to_vec(),
    ]
}
