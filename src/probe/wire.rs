//! The messages between the monitor and a worker in a child process, in frames of bounded
//! length.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::domain::{CheckOptions, CheckSpec, JobId};

use super::FactoryConfig;

/// The longest frame, in bytes. A result has at most a hundred requests to tell of, each in
/// about two kilobytes.
const MOST_BYTES: u32 = 4 << 20;

/// The bytes of the length before a message.
const LENGTH: usize = 4;

/// The first message to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The name of its thread.
    pub name: String,
    /// The configuration of its prober factory.
    pub config: FactoryConfig,
    /// The origin of the sender's clock, on the monotonic clock of the machine; the worker's
    /// moments count from it as well.
    pub origin: Duration,
    /// Whether its checks have to hold its interpreter lock while they run.
    pub interpreter_lock: bool,
}

/// The first message of a worker: it is ready, or one sentence about why not.
pub type Ready = Result<(), String>;

/// One check to be carried out. The reply holds its [`CheckResult`](crate::domain::CheckResult).
#[derive(Clone, Debug, Serialize)]
pub struct Task<'a> {
    /// The identity of the check.
    pub job: JobId,
    /// What the check asks and expects.
    spec: &'a CheckSpec,
    /// The options of the spec.
    options: Option<&'a CheckOptions>,
    /// Whether every poll is recorded for the trace.
    traced: bool,
}

impl<'a> Task<'a> {
    /// The task to carry out the check of `spec`.
    #[must_use]
    pub fn new(job: JobId, spec: &'a CheckSpec, traced: bool) -> Self {
        Self {
            job,
            spec,
            options: spec.options.as_deref(),
            traced,
        }
    }
}

/// A [`Task`] in the form that it arrives in.
#[derive(Deserialize)]
struct TaskParts {
    job: JobId,
    spec: CheckSpec,
    options: Option<Arc<CheckOptions>>,
    traced: bool,
}

impl From<TaskParts> for ReceivedTask {
    fn from(parts: TaskParts) -> Self {
        let mut spec = parts.spec;
        spec.options = parts.options;
        Self {
            job: parts.job,
            spec,
            traced: parts.traced,
        }
    }
}

/// A [`Task`] as it arrives.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "TaskParts")]
pub struct ReceivedTask {
    /// The identity of the check.
    pub job: JobId,
    /// What the check asks and expects.
    pub spec: CheckSpec,
    /// Whether every poll is recorded for the trace.
    pub traced: bool,
}

/// Why a message could not be sent or received.
#[derive(Debug)]
pub enum WireError {
    /// The pipe is closed or failed.
    Io(io::Error),
    /// The bytes are no frame of the expected message.
    Garbled,
    /// The message is longer than a frame may be.
    TooLong,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Garbled => f.write_str("what was received cannot be read"),
            Self::TooLong => f.write_str("what was to be sent is too long"),
        }
    }
}

impl std::error::Error for WireError {}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// One message as it is sent: four bytes of length, the least first, and so many bytes in
/// postcard's form. Both ends are the same program, so no other reader matters; JSON took a
/// tenth of the processor time of a check.
///
/// # Errors
/// If the message is too long.
pub fn frame(message: &impl Serialize) -> Result<Vec<u8>, WireError> {
    let mut frame = Vec::with_capacity(512);
    append_frame(&mut frame, message)?;
    Ok(frame)
}

/// Appends the frame of a message; what cannot be sent is not appended.
///
/// # Errors
/// If the message is too long.
pub fn append_frame(to: &mut Vec<u8>, message: &impl Serialize) -> Result<(), WireError> {
    let start = to.len();
    let mut frame = std::mem::take(to);
    frame.extend_from_slice(&[0; LENGTH]);
    *to = postcard::to_extend(message, frame).map_err(|_| WireError::Garbled)?;
    let length = u32::try_from(to.len() - start - LENGTH).unwrap_or(u32::MAX);
    if length > MOST_BYTES {
        to.truncate(start);
        return Err(WireError::TooLong);
    }
    to[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// The length of the frame that begins with these bytes.
///
/// # Errors
/// If none begins so.
pub fn frame_length(begin: &[u8]) -> Result<usize, WireError> {
    let length = begin.first_chunk::<LENGTH>().ok_or(WireError::Garbled)?;
    let length = u32::from_le_bytes(*length);
    if length > MOST_BYTES {
        return Err(WireError::Garbled);
    }
    Ok(LENGTH + length as usize)
}

/// Reads a whole frame.
///
/// # Errors
/// If it is no frame of this message.
pub fn read_frame<T: DeserializeOwned>(frame: &[u8]) -> Result<T, WireError> {
    if frame_length(frame)? != frame.len() {
        return Err(WireError::Garbled);
    }
    match postcard::take_from_bytes(&frame[LENGTH..]) {
        Ok((message, [])) => Ok(message),
        _ => Err(WireError::Garbled),
    }
}

/// Sends one message.
///
/// # Errors
/// If the message is too long or the other side is gone.
pub async fn send(
    to: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> Result<(), WireError> {
    to.write_all(&frame(message)?).await?;
    to.flush().await?;
    Ok(())
}

/// Receives one message. Reading is not to be called off in the middle.
///
/// # Errors
/// If the other side is gone, or sends something else.
pub async fn receive<T: DeserializeOwned>(
    from: &mut (impl AsyncRead + Unpin),
) -> Result<T, WireError> {
    let length = from.read_u32_le().await?;
    if length > MOST_BYTES {
        return Err(WireError::Garbled);
    }
    let mut frame = Vec::new();
    // Grows as bytes arrive: a length alone takes no memory.
    from.take(length.into()).read_to_end(&mut frame).await?;
    if frame.len() != length as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    match postcard::take_from_bytes(&frame) {
        Ok((message, [])) => Ok(message),
        _ => Err(WireError::Garbled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Assertions, Certificate, CheckResult, JsonAssertion, JsonNumber, JsonScalar, MaskedUrl,
        Method, Moment, Phases, RanOn, Reason, RequestRecord, SiteId, StatusSet, Timestamp,
        Verdict,
    };

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn job() -> JobId {
        JobId {
            site: SiteId::from_index(7),
            due: Moment::from_nanos(u64::MAX),
        }
    }

    fn result() -> CheckResult {
        let phases = Phases {
            dns: Some(Duration::from_nanos(1)),
            connect: None,
            tls: Some(Duration::MAX),
            first_byte: Some(Duration::ZERO),
        };
        CheckResult {
            job: job(),
            verdict: Verdict::Degraded,
            reason: Some(Reason::Certificate),
            error: Some("ends \u{1f43f} soon".into()),
            status: Some(204),
            started_at: Timestamp::from_micros(i64::MIN),
            started: Moment::from_nanos(3),
            latency: Duration::from_millis(5),
            late: Duration::ZERO,
            phases,
            method: Method::Get,
            attempts: 2,
            redirects: 1,
            certificate: Some(Certificate {
                not_after: Timestamp::from_micros(9),
                subject: "a".into(),
                issuer: "b".into(),
            }),
            requests: vec![RequestRecord {
                method: Method::Head,
                url: "https://a/".into(),
                address: Some("::1".parse().unwrap()),
                resolved: vec!["127.0.0.1".parse().unwrap()],
                failed_connects: Vec::new(),
                status: None,
                phases,
                took: Duration::from_secs(1),
                note: "n".into(),
            }],
            ran_on: RanOn {
                host: "h".into(),
                pid: 1,
                tid: 2,
                thread: "t".into(),
            },
        }
    }

    #[test]
    fn jobs_and_results_arrive_as_they_were_sent() {
        let options = CheckOptions {
            assertions: Assertions {
                contains: vec!["a".into(), "b".into()],
                json: vec![JsonAssertion {
                    path: "$.a".into(),
                    equals: Some(JsonScalar::Text("ok".into())),
                    below: JsonNumber::fraction(0.5),
                    ..JsonAssertion::default()
                }],
                ..Assertions::NONE
            },
            ..CheckOptions::default()
        };
        let spec = CheckSpec {
            cert_warn: Duration::from_secs(9),
            expect_status: StatusSet::parse("200-299,301").unwrap(),
            contains: Some("needle \n\"".into()),
            user_agent: "agent".into(),
            options: Some(Arc::new(options)),
            ..CheckSpec::new(MaskedUrl::new("https://ann:s3cret@example.org/"))
        };
        let task = Task::new(job(), &spec, true);
        let mut wire = Vec::new();
        run(async {
            send(&mut wire, &task).await.unwrap();
            send(&mut wire, &result()).await.unwrap();
            let mut wire = &wire[..];
            let received: ReceivedTask = receive(&mut wire).await.unwrap();
            assert_eq!((received.job, &received.spec), (job(), &spec));
            assert!(received.traced);
            assert_eq!(received.spec.url.expose(), spec.url.expose());
            assert_eq!(receive::<CheckResult>(&mut wire).await.unwrap(), result());
            assert!(matches!(
                receive::<CheckResult>(&mut wire).await,
                Err(WireError::Io(_))
            ));
        });
    }

    #[test]
    fn rubbish_a_broken_frame_and_a_giant_are_told_from_messages() {
        let garbled = |bytes: &[u8]| {
            run(async {
                let mut bytes = bytes;
                receive::<CheckResult>(&mut bytes).await.unwrap_err()
            })
        };
        assert!(matches!(garbled(b"hello, world"), WireError::Garbled));
        assert!(matches!(garbled(b"\x02\0\0\0{}"), WireError::Garbled));
        assert!(matches!(garbled(b"\xff\xff\xff\x7f"), WireError::Garbled));
        assert!(matches!(garbled(b"\x09\0\0\0{}"), WireError::Io(_)));
        let giant = "x".repeat(MOST_BYTES as usize);
        let sent = run(async { send(&mut Vec::new(), &giant).await });
        assert!(matches!(sent, Err(WireError::TooLong)));
    }
}
