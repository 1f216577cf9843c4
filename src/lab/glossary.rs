//! The glossary of concurrency for the reader of the screen: each term in two or three
//! sentences, and the keys that demonstrate it.

/// A term of the glossary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The term, or two terms that are contrasted.
    pub word: &'static str,
    /// The meaning, in two or three sentences.
    pub meaning: &'static str,
    /// The screen and the keys that demonstrate it.
    pub see: &'static str,
}

/// All terms; each uses only terms before it.
pub const GLOSSARY: &[Term] = &[
    Term {
        word: "concurrent, parallel",
        meaning: "Concurrent: several things are under way at once, although perhaps only one \
                  of them moves. Parallel: several move at the same moment, which takes several \
                  cores. Waiting needs no core, so that concurrency is enough for it; computing \
                  gains by parallelism alone.",
        see: "Lab: x changes between sleep and crunch, Enter runs it by threads (2).",
    },
    Term {
        word: "thread, process",
        meaning: "A process has memory of its own; its threads share that memory, and in some \
                  languages one interpreter lock. A thread starts in a fraction of a \
                  millisecond, a process in many times that, and it takes megabytes; but it \
                  shares no lock with others and harms no other when it dies.",
        see: "Lab: 2 for threads and 4 for processes; the ready figure is what starting cost.",
    },
    Term {
        word: "green thread, task",
        meaning: "A task that the program schedules itself, many on one thread of the system. It \
                  runs until it waits and only then lets another one run. So a thousand waits \
                  cost one thread, and one task that computes holds up all the others.",
        see: "Lab: 5, then sleep (all at once) and crunch (one after another).",
    },
    Term {
        word: "interpreter lock",
        meaning: "One lock for a whole process: a thread that runs code has to hold it (CPython \
                  calls it the GIL). A thread releases it to wait, and hands it over every 5 ms \
                  if another asks. So threads still wait at once, but compute in turns.",
        see: "Lab: crunch by threads (2), once with the lock and once without.",
    },
    Term {
        word: "work stealing",
        meaning: "Each thread of a scheduler has a queue of its own tasks, and takes from \
                  another's when its own is empty. So all cores have work without one queue that \
                  all of them have to wait for.",
        see: "Lab: 6 and crunch without the lock: the tasks spread over the cores.",
    },
    Term {
        word: "queue",
        meaning: "Where jobs wait that are due while all workers are busy, first come, first \
                  served. How long they wait there is the lateness: with more jobs than workers \
                  it grows by what the jobs ahead take.",
        see: "Sites: 1 for serial, and watch LATE grow; 6 takes it back.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_explained_in_two_to_four_sentences_and_can_be_seen() {
        assert!(GLOSSARY.len() >= 6);
        for term in GLOSSARY {
            let sentences = term.meaning.matches(['.', ':']).count();
            assert!((2..=5).contains(&sentences), "{}: {sentences}", term.word);
            assert!(term.meaning.ends_with('.'), "{}", term.word);
            assert!(term.see.contains(": "), "{}", term.word);
            assert!(!term.meaning.contains("  "), "{}", term.word);
        }
    }
}
