//! A change of a text at one position, made by the fuzzer.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// Removes some bytes of a text and inserts others at the same position.
#[derive(Debug, Arbitrary)]
pub struct Edit<'a> {
    at: u16,
    cut: u8,
    put: &'a [u8],
}

impl Edit<'_> {
    /// The text after the change. It can be invalid UTF-8.
    #[must_use]
    pub fn apply(&self, text: &str) -> Vec<u8> {
        let at = usize::from(self.at) % (text.len() + 1);
        let end = text.len().min(at + usize::from(self.cut));
        let text = text.as_bytes();
        [&text[..at], self.put, &text[end..]].concat()
    }
}
