//! Formats an error together with its causes.

use std::error::Error;

/// Formats an error and its causes in one line, for operators. Omits a cause if the line already ends with its text.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    for cause in std::iter::successors(error.source(), |&error| error.source()) {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn shows_each_cause_once() {
        let innermost = Layer("connection refused", None);
        let repeating = Layer("connection refused", Some(Box::new(innermost)));
        let outer = Layer("the pool cannot be read", Some(Box::new(repeating)));
        assert_eq!(causes(&outer), "the pool cannot be read: connection refused");
    }
}
