//! Secret values such as passwords and tokens.
//!
//! `Debug` prints a placeholder, the memory is wiped on drop, and reading requires an explicit [`Secret::expose`].

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// A password, token, session or client secret.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns the secret text. The caller is responsible for not leaking it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_omits_the_secret() {
        assert!(!format!("{:?}", Secret::new("Correct-Horse-1")).contains("Horse"));
    }
}
