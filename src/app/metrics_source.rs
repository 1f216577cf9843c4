//! What whoever reads the metrics wants to know of the core.

use std::io;

use tokio::sync::{mpsc, oneshot};

use crate::metrics::{Endpoint, Page, Question};

use super::core::Core;

impl Core {
    /// Answers at once, with no more than a page.
    pub fn answer(&self, question: Question) {
        match question {
            Question::Page { from, answer } => {
                let mut page = Page::of(&self.monitor, from, self.census().running);
                // Once a scrape: the history counts while the pages are taken.
                page.pending = (from == 0).then(|| self.count_pending()).flatten();
                // Who asked may be gone.
                let _unheard = answer.send(page);
            }
            Question::Alive(answer) => {
                let _unheard = answer.send(());
            }
        }
    }

    /// Asks the history how many messages wait; its thread answers.
    fn count_pending(&self) -> Option<oneshot::Receiver<u64>> {
        let (sender, count) = oneshot::channel();
        self.ledger.as_ref()?.history().ask(move |book| {
            if let Ok(pending) = book.pending_count() {
                let _unheard = sender.send(pending);
            }
        });
        Some(count)
    }
}

/// The questions of an endpoint, if there is one.
#[derive(Debug)]
pub(super) struct MetricsQuestions(Option<mpsc::Receiver<Question>>);

impl MetricsQuestions {
    /// Begins to serve.
    pub(super) fn of(endpoint: Option<Endpoint>) -> io::Result<Self> {
        Ok(Self(endpoint.map(Endpoint::serve).transpose()?))
    }

    /// The next one; without an endpoint it never comes.
    pub(super) async fn next(&mut self) -> Question {
        if let Some(questions) = &mut self.0
            && let Some(question) = questions.recv().await
        {
            return question;
        }
        // Not asked again at once, should its thread have ended.
        std::future::pending().await
    }
}
