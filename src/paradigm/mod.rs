//! How the checks are run: one file a paradigm, one table of them, one live switch.
//!
//! A paradigm decides which thread polls the probe's one `async fn`, and nothing else: it
//! has no HTTP client of its own, no schedule, and no opinion about a site. A new one is a
//! file here and an entry in `table.rs`.

mod answer;
mod celery;
mod child;
mod contract;
mod desk;
mod driver;
mod farewell;
mod futures;
mod green;
mod keeper;
mod limits;
mod pool;
mod processes;
mod queue;
mod queue_figures;
mod queue_options;
mod receipt;
mod serial;
mod switch;
mod table;
mod tasks;
mod threads;
mod work_stealing;
mod worker;

pub use celery::{
    BrokerOptions, Lines, ServeError, WorkerOptions, serve_broker, work_for_broker,
    work_line_by_line,
};
pub use contract::{Census, Context, Entry, Label, Law, Loss, Paradigm, Shape, StartError};
pub use farewell::settle;
pub use limits::{clamp, ensure_files, raise_file_limit};
pub use queue_figures::{HostFigures, QueueFigures, WorkerFigures};
pub use queue_options::QueueOptions;
pub use receipt::Receipt;
pub use switch::{Dispatcher, Offer};
pub use table::{ALL, DEFAULT, labels, names, position};
pub use worker::work_for_parent;
