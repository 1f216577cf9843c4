//! Patterns and paths of assertions, compiled once for all checks with the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{Assertions, JsonPath, Reason, TextPattern};

use super::super::classify::Failure;

/// The most that are kept. A list with more different ones compiles again what it checks.
const MOST_KEPT: usize = 1_024;

/// What assertions are searched by, in their order.
#[derive(Debug)]
pub(super) struct CompiledAssertions {
    pub(super) patterns: Vec<TextPattern>,
    pub(super) paths: Vec<JsonPath>,
}

/// What was compiled in this process.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct AssertionCache(
    Arc<Mutex<HashMap<Assertions, Arc<CompiledAssertions>>>>,
);

impl AssertionCache {
    /// The compiled form of these assertions.
    pub(super) fn compiled(
        &self,
        assertions: &Assertions,
    ) -> Result<Arc<CompiledAssertions>, Failure> {
        {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(compiled) = kept.get(assertions) {
                return Ok(Arc::clone(compiled));
            }
        }
        // Without the lock: compiling may take a while.
        let compiled = compile(assertions).map(Arc::new);
        let compiled = compiled.map_err(|why| Failure::new(Reason::Internal, why))?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT
            && let Some(one) = kept.keys().next().cloned()
        {
            kept.remove(&one);
        }
        kept.insert(assertions.clone(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn compile(assertions: &Assertions) -> Result<CompiledAssertions, String> {
    let patterns = assertions
        .matches
        .iter()
        .map(|text| TextPattern::parse(text));
    let paths = assertions
        .json
        .iter()
        .map(|json| JsonPath::parse(&json.path));
    Ok(CompiledAssertions {
        patterns: patterns.collect::<Result<_, _>>()?,
        paths: paths.collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_assertions_are_compiled_once_and_not_without_end() {
        let cache = AssertionCache::default();
        let of = |text: &str| Assertions {
            matches: vec![text.into()],
            ..Assertions::NONE
        };
        let first = cache.compiled(&of("a+")).unwrap();
        assert!(Arc::ptr_eq(&first, &cache.compiled(&of("a+")).unwrap()));
        for number in 0..MOST_KEPT + 5 {
            cache.compiled(&of(&number.to_string())).unwrap();
        }
        assert_eq!(cache.0.lock().unwrap().len(), MOST_KEPT);
        let failure = cache.compiled(&of("(")).unwrap_err();
        assert_eq!(failure.reason, Reason::Internal);
    }
}
