//! How a worker is to work.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{MaskedUrl, clean};

/// What a worker prints of each task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// How a worker is to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerOptions {
    /// Where the queue is.
    pub broker: MaskedUrl,
    /// Its name.
    pub queue: Box<str>,
    /// Checks at once.
    pub concurrency: usize,
    /// Its node name `name@host`, or the host alone; `%h` stands for this host.
    pub hostname: Option<String>,
    /// How long a worker may be silent about a check before another takes it.
    pub visibility_timeout: Duration,
    /// How long results are kept.
    pub result_expires: Duration,
    /// Between two heartbeats.
    pub heartbeat: Duration,
    /// What it prints.
    pub lines: LineFormat,
    /// Whether it does the lab's toys: sleeps and crunches, which are no checks.
    pub toys: bool,
    /// The process whose end is its end.
    pub parent: Option<u32>,
}

impl WorkerOptions {
    /// The node's name.
    pub(super) fn node(&self) -> String {
        let here = crate::trace::here().host;
        let name = match &self.hostname {
            None => format!("celery@{here}"),
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

    /// The host that results are to name: the node's.
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
            toys: false,
            parent: None,
        }
    }

    #[test]
    fn a_node_is_named_as_celery_names_it() {
        let here = crate::trace::here().host;
        assert_eq!(options(None).node(), format!("celery@{here}"));
        assert_eq!(options(Some("oslo")).node(), "celery@oslo");
        assert_eq!(&*options(Some("oslo")).host(), "oslo");
        assert_eq!(options(Some("a@b")).node(), "a@b");
        assert_eq!(options(Some("a@%h")).node(), format!("a@{here}"));
        assert_eq!(options(Some("a\u{1b}[m b")).node(), "celery@a-[m-b");
    }
}
