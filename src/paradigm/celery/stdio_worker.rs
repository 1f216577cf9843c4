//! A worker on standard input and output, one check and one result a line. A stock Python worker
//! starts it as a child to run its checks (`squirrel worker --lines`).

use std::io;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use crate::domain::clean;
use crate::probe::{FactoryConfig, Prober, ProberFactory};

use super::message::MAX_MESSAGE_BYTES;
use super::task::{self, CheckContext, ReceivedArguments};
use super::task_error::TaskError;
use super::worker_registry::host_of;

/// Replies line by line until the input ends. A reply is `{"result": …}` or `{"refused": "…"}`.
/// Results name the host of the node `node`, if it is given, in place of this machine's.
///
/// # Errors
/// If standard input or output fails, or a line exceeds 1 MiB.
pub fn work_line_by_line(node: Option<&str>) -> io::Result<()> {
    let host: Option<Arc<str>> = node.map(|node| clean(host_of(node), 64).into());
    rustix::thread::set_name(c"celery-probe").map_err(io::Error::from)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(converse(&CheckContext::new(host)));
    // A thread of the runtime may still read standard input.
    runtime.shutdown_background();
    match ended {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

async fn converse(context: &CheckContext) -> io::Result<()> {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut output = tokio::io::stdout();
    let mut last: Option<(FactoryConfig, Arc<Prober>)> = None;
    loop {
        let mut line = Vec::new();
        let most = MAX_MESSAGE_BYTES as u64 + 1;
        if (&mut input).take(most).read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if line.len() > MAX_MESSAGE_BYTES {
            // The rest of the line could not be told from the next line.
            return Err(io::Error::other("a line longer than 1 MiB"));
        }
        let mut answer = match carry_out(&line, &mut last, context).await {
            Ok(result) => format!("{{\"result\":{result}}}"),
            Err(why) => serde_json::json!({"refused": why.to_string()}).to_string(),
        };
        answer.push('\n');
        output.write_all(answer.as_bytes()).await?;
        output.flush().await?;
    }
}

async fn carry_out(
    line: &[u8],
    last: &mut Option<(FactoryConfig, Arc<Prober>)>,
    context: &CheckContext,
) -> Result<String, TaskError> {
    let text = std::str::from_utf8(line).map_err(|_| TaskError::Refused("it is not text"))?;
    let argument = RawValue::from_string(text.trim().to_owned())
        .map_err(|_| TaskError::Refused("it is not JSON"))?;
    let order = ReceivedArguments::read(&[argument], context.key.as_ref())?;
    order.permit(false)?;
    if last.as_ref().is_none_or(|(trust, _)| *trust != order.trust) {
        let factory = ProberFactory::from_config(order.trust.clone()).map_err(TaskError::Prober)?;
        *last = Some((order.trust.clone(), Arc::new(factory.prober())));
    }
    let Some((_, prober)) = last else {
        return Err(TaskError::Refused("no prober can be made"));
    };
    let report = task::carry_out(prober, &order, context).await;
    serde_json::to_string(&report).map_err(TaskError::Report)
}
