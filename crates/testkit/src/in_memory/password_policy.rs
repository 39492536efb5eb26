//! The password policy of the pool in memory, which is the default policy of a new Cognito pool.

use domain::secret::Secret;

/// At least 8 characters, with a lower-case and an upper-case letter, a digit and a symbol.
pub(super) fn accepts(password: &Secret) -> bool {
    let password = password.expose();
    let has = |wanted: fn(char) -> bool| password.chars().any(wanted);
    password.chars().count() >= 8
        && has(|character| character.is_ascii_lowercase())
        && has(|character| character.is_ascii_uppercase())
        && has(|character| character.is_ascii_digit())
        && has(|character| character.is_ascii_punctuation())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_counts() {
        assert!(accepts(&Secret::new("Correct-1")));
        for weak in ["", "Corr-1x", "correct-1", "CORRECT-1", "Correct-x", "Correct12"] {
            assert!(!accepts(&Secret::new(weak)), "{weak}");
        }
    }
}
