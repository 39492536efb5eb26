//! The sign-up policy: who is confirmed at once.

use thiserror::Error;

/// Who is confirmed without a code (`AUTO_CONFIRM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutoConfirm {
    /// Everyone who signs up.
    Everyone,
    /// Nobody: the ordinary way, by code or by an administrator.
    Nobody,
}

/// The text is no value of `AUTO_CONFIRM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected `everyone` or `nobody`")]
pub struct NotAnAutoConfirm;

impl std::str::FromStr for AutoConfirm {
    type Err = NotAnAutoConfirm;

    fn from_str(text: &str) -> Result<Self, NotAnAutoConfirm> {
        match text {
            "everyone" => Ok(Self::Everyone),
            "nobody" => Ok(Self::Nobody),
            _ => Err(NotAnAutoConfirm),
        }
    }
}

/// The rules of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Who is confirmed at once.
    pub auto_confirm: AutoConfirm,
}

/// How a user comes into the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person signs up.
    SelfSignUp,
    /// An administrator creates the user: it was the administrator who decided.
    Administrator,
    /// First sign-in through an external provider.
    ExternalProvider,
    /// A source that this version does not know: nothing is granted to it.
    Unknown,
}

/// What becomes of a sign-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Confirm the user now.
    Confirm,
    /// Leave all flags as they came.
    Leave,
}

/// Decides one sign-up. Same answer for same input: Cognito asks up to three times.
#[must_use]
pub fn decide(policy: &Policy, source: Source) -> Decision {
    match (source, policy.auto_confirm) {
        (Source::SelfSignUp, AutoConfirm::Everyone) => Decision::Confirm,
        (Source::SelfSignUp, AutoConfirm::Nobody)
        | (Source::Administrator | Source::ExternalProvider | Source::Unknown, _) => Decision::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_self_sign_up_under_everyone_is_confirmed() {
        let table = [
            (Source::SelfSignUp, AutoConfirm::Everyone, Decision::Confirm),
            (Source::SelfSignUp, AutoConfirm::Nobody, Decision::Leave),
            (Source::Administrator, AutoConfirm::Everyone, Decision::Leave),
            (Source::Administrator, AutoConfirm::Nobody, Decision::Leave),
            (Source::ExternalProvider, AutoConfirm::Everyone, Decision::Leave),
            (Source::ExternalProvider, AutoConfirm::Nobody, Decision::Leave),
            (Source::Unknown, AutoConfirm::Everyone, Decision::Leave),
            (Source::Unknown, AutoConfirm::Nobody, Decision::Leave),
        ];
        for (source, auto_confirm, expected) in table {
            assert_eq!(decide(&Policy { auto_confirm }, source), expected, "{source:?} under {auto_confirm:?}");
        }
    }

    #[test]
    fn auto_confirm_takes_its_exact_words_only() {
        assert_eq!("everyone".parse(), Ok(AutoConfirm::Everyone));
        assert_eq!("nobody".parse(), Ok(AutoConfirm::Nobody));
        for wrong in ["", "Everyone", "everyone ", "true", "trusted-domains"] {
            assert_eq!(wrong.parse::<AutoConfirm>(), Err(NotAnAutoConfirm), "{wrong:?}");
        }
    }
}
