//! One scrape: asks the loop for page after page.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::exposition::Exposition;
use super::page::MetricsQuestion;

/// The longest time that the loop may take for an answer. After that the scrape fails, for a
/// later answer would be of another time.
const LOOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest time that the history may take to count messages; after it the rest is written.
const HISTORY_TIMEOUT: Duration = Duration::from_millis(500);

/// The loop has ended, or did not answer in time.
#[derive(Debug)]
pub(super) struct NoAnswer;

/// Asks the loop and waits for its answer.
async fn ask<T>(
    loops: &mpsc::Sender<MetricsQuestion>,
    question: impl FnOnce(oneshot::Sender<T>) -> MetricsQuestion,
) -> Result<T, NoAnswer> {
    let asked = async {
        let (sender, answer) = oneshot::channel();
        loops.send(question(sender)).await.map_err(|_| NoAnswer)?;
        answer.await.map_err(|_| NoAnswer)
    };
    timeout(LOOP_TIMEOUT, asked).await.map_err(|_| NoAnswer)?
}

/// Whether the loop answers.
pub(super) async fn alive(loops: &mpsc::Sender<MetricsQuestion>) -> Result<(), NoAnswer> {
    ask(loops, MetricsQuestion::Alive).await
}

/// Everything for one scrape.
pub(super) async fn scrape(loops: &mpsc::Sender<MetricsQuestion>) -> Result<Exposition, NoAnswer> {
    let mut rows = Vec::new();
    let mut pending = None;
    let mut whole = None;
    let mut next = Some(0);
    while let Some(from) = next {
        let page = ask(loops, |answer| MetricsQuestion::Page { from, answer }).await?;
        next = page.next;
        whole = whole.or(page.whole);
        rows.extend(page.rows);
        pending = pending.or(page.pending);
    }
    let pending = match pending {
        Some(count) => timeout(HISTORY_TIMEOUT, count).await.ok(),
        None => None,
    };
    let pending = pending.and_then(Result::ok);
    Ok(Exposition::new(rows, whole.unwrap_or_default(), pending))
}
