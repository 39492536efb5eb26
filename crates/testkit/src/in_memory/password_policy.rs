//! The password policy of the in-memory pool, Cognito's default policy.

use domain::secret::Secret;
use domain::user_pool::settings::PasswordPolicy;

/// The minimum length.
const MINIMUM_LENGTH: u32 = 8;

/// The policy as Cognito describes it.
pub(super) fn described(temporary_password_validity_days: u32) -> PasswordPolicy {
    PasswordPolicy {
        minimum_length: MINIMUM_LENGTH,
        require_lowercase: true,
        require_uppercase: true,
        require_numbers: true,
        require_symbols: true,
        temporary_password_validity_days,
    }
}

/// At least 8 characters, with a lowercase and an uppercase letter, a digit and a symbol.
pub(super) fn accepts(password: &Secret) -> bool {
    let password = password.expose();
    let has = |wanted: fn(char) -> bool| password.chars().any(wanted);
    password.chars().count() >= MINIMUM_LENGTH as usize
        && has(|character| character.is_ascii_lowercase())
        && has(|character| character.is_ascii_uppercase())
        && has(|character| character.is_ascii_digit())
        && has(|character| character.is_ascii_punctuation())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_each_rule() {
        assert!(accepts(&Secret::new("Correct-1")));
        for weak in ["", "Corr-1x", "correct-1", "CORRECT-1", "Correct-x", "Correct12"] {
            assert!(!accepts(&Secret::new(weak)), "{weak}");
        }
    }
}
