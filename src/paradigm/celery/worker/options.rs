//! The options of a worker.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{MaskedUrl, clean};

/// The form of the line that a worker prints for each task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFormat {
    /// Text in columns.
    Text,
    /// One JSON object for each check.
    Json,
}

/// The options of a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// The URL of the broker.
    pub broker: MaskedUrl,
    /// The name of the queue.
    pub queue: Box<str>,
    /// Tasks that it runs at once.
    pub concurrency: usize,
    /// The node name `name@host`, or the host alone; `%h` stands for this host. `None`:
    /// `squirrel-<process id>@%h`, so that workers that are started alike are told apart.
    pub hostname: Option<String>,
    /// How long a worker may be silent about a check before another takes it.
    pub visibility_timeout: Duration,
    /// How long results are kept in Redis.
    pub result_expires: Duration,
    /// The period of the heartbeats.
    pub heartbeat: Duration,
    /// The form of its lines on standard output.
    pub lines: LineFormat,
    /// Whether it runs the workloads of the lab, which sleep or compute.
    pub workloads: bool,
    /// The process with which it ends; `None`: it runs until it is stopped.
    pub parent: Option<u32>,
}

impl WorkerOptions {
    /// The node name, cleaned.
    pub(super) fn node(&self) -> String {
        let here = crate::trace::here().host;
        let name = match &self.hostname {
            None => format!("squirrel-{}@{here}", std::process::id()),
            Some(name) => {
                let name = name.replace("%h", &here);
                if name.contains('@') {
                    name
                } else {
                    format!("celery@{name}")
                }
            }
        };
        clean(&name, 200).replace(' ', "-")
    }

    /// The host part of the node name, which results name.
    pub(super) fn host(&self) -> Arc<str> {
        let node = self.node();
        node.split_once('@').map_or(&*node, |(_, host)| host).into()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::QueueOptions;

    pub(crate) fn options(hostname: Option<&str>) -> WorkerOptions {
        WorkerOptions {
            broker: MaskedUrl::new("redis://127.0.0.1/"),
            queue: "celery".into(),
            concurrency: 4,
            hostname: hostname.map(str::to_owned),
            visibility_timeout: QueueOptions::MIN_VISIBILITY_TIMEOUT,
            result_expires: Duration::from_secs(60),
            heartbeat: Duration::from_secs(2),
            lines: LineFormat::Text,
            workloads: false,
            parent: None,
        }
    }

    #[test]
    fn a_node_is_named_as_celery_names_it() {
        let here = crate::trace::here().host;
        let pid = std::process::id();
        assert_eq!(options(None).node(), format!("squirrel-{pid}@{here}"));
        assert_eq!(options(Some("oslo")).node(), "celery@oslo");
        assert_eq!(&*options(Some("oslo")).host(), "oslo");
        assert_eq!(options(Some("a@b")).node(), "a@b");
        assert_eq!(options(Some("a@%h")).node(), format!("a@{here}"));
        assert_eq!(options(Some("a\u{1b}[m b")).node(), "celery@a-[m-b");
    }
}
