//! A reader of metrics: plain HTTP over a socket, and Prometheus's own parser.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::owners::sites::is;
use crate::support::Running;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Where a monitor that has just been started serves its metrics.
pub(crate) fn address(running: &mut Running) -> SocketAddr {
    let started = running.wait_for("the start", is("started"));
    let url = started["metrics"].as_str().unwrap();
    let address = url.strip_prefix("http://").unwrap();
    address.strip_suffix("/metrics").unwrap().parse().unwrap()
}

/// A connection to it.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(30));
    stream.set_read_timeout(patience).unwrap();
    stream.set_write_timeout(patience).unwrap();
    stream
}

/// Sends `request` and reads until the server closes.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // A server that has seen enough may have closed already.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// Asks for `path` as a client that knows no chunks, so that the body is what it is.
pub(crate) fn get(address: SocketAddr, path: &str) -> Got {
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    got(&exchange(address, request.as_bytes()))
}

pub(crate) fn got(answer: &[u8]) -> Got {
    let answer = std::str::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    Got {
        status: head[9..12].parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// One sample, as Prometheus's parser understands it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
    /// Of its metric.
    pub(crate) kind: String,
    pub(crate) help: String,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Has a text parsed by the parser of Prometheus's Python client, which refuses what does not
/// follow the format.
pub(crate) fn parse(text: &str) -> Vec<Sample> {
    const PARSER: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.buffer.read().decode()):
    for sample in family.samples:
        print(json.dumps({'name': sample.name, 'labels': sample.labels, 'value': sample.value,
                          'kind': family.type, 'help': family.documentation}))
";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/celery/bin/python");
    assert!(
        python.exists(),
        "{} is needed: tests/run makes it",
        python.display()
    );
    let mut child = Command::new(python)
        .args(["-c", PARSER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "not Prometheus's format: {said}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
