//! The external providers that users can sign in through.

use thiserror::Error;

/// The external providers through which new users can sign in (`EXTERNAL_PROVIDERS`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExternalProviders {
    /// All providers of the pool.
    #[default]
    Allow,
    /// None.
    Refuse,
    /// Only these.
    Only(Vec<ProviderName>),
}

/// The name of an external provider in the pool.
///
/// Cognito's pattern allows no whitespace, and an underscore only as the second character. In `NAME_subject`, the first
/// underscore after the second character therefore ends the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName(String);

/// The text is not a value of `EXTERNAL_PROVIDERS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be `allow`, `refuse` or comma-separated provider names, e.g. `Google,Okta`")]
pub struct InvalidExternalProviders;

impl ExternalProviders {
    /// Whether a user with this name, `NAME_subject`, is admitted. A list rejects a user without a name.
    #[must_use]
    pub fn admit(&self, user_name: Option<&str>) -> bool {
        match self {
            Self::Allow => true,
            Self::Refuse => false,
            Self::Only(names) => {
                user_name.is_some_and(|user_name| names.iter().any(|name| name.is_prefix_of(user_name)))
            }
        }
    }
}

impl ProviderName {
    /// Whether the user name has the form `NAME_subject`. Ignores case, because Cognito writes `NAME` in lowercase in
    /// case-insensitive pools.
    fn is_prefix_of(&self, user_name: &str) -> bool {
        let prefix = user_name.as_bytes().get(..self.0.len());
        let rest = user_name.as_bytes().get(self.0.len()..).unwrap_or_default();
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(self.0.as_bytes()))
            && rest.starts_with(b"_")
            && rest.len() > 1
    }
}

impl std::str::FromStr for ExternalProviders {
    type Err = InvalidExternalProviders;

    fn from_str(text: &str) -> Result<Self, InvalidExternalProviders> {
        match text {
            "allow" => Ok(Self::Allow),
            "refuse" => Ok(Self::Refuse),
            names => {
                names.split(',').map(|name| name.trim_matches(' ').parse()).collect::<Result<_, _>>().map(Self::Only)
            }
        }
    }
}

impl std::str::FromStr for ProviderName {
    type Err = InvalidExternalProviders;

    fn from_str(text: &str) -> Result<Self, InvalidExternalProviders> {
        let matches_pattern = (3..=32).contains(&text.chars().count())
            && text.chars().enumerate().all(|(index, character)| match character {
                '_' => index == 1,
                _ => !character.is_whitespace() && !character.is_control(),
            });
        // In a list, these keywords would be read as provider names.
        let is_keyword = ["allow", "refuse"].iter().any(|keyword| text.eq_ignore_ascii_case(keyword));
        if matches_pattern && !is_keyword { Ok(Self(text.to_owned())) } else { Err(InvalidExternalProviders) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognizes_a_provider_by_the_prefix_of_the_user_name() {
        let table = [
            ("allow", None, true),
            ("allow", Some("Google_1"), true),
            ("allow", Some("anything"), true),
            ("refuse", None, false),
            ("refuse", Some("Google_1"), false),
            ("Google", Some("Google_1"), true),
            ("Google", Some("google_1"), true),
            ("google", Some("Google_1"), true),
            ("Google", Some("Google_a_b"), true),
            ("Okta, Google", Some("Google_1"), true),
            ("Google", Some("GoogleEvil_1"), false),
            ("Google", Some("Goog_1"), false),
            ("Google", Some("Google"), false),
            ("Google", Some("Google_"), false),
            ("Google", Some("_Google_1"), false),
            ("Google", Some("Facebook_Google_1"), false),
            ("Google", Some(""), false),
            ("Google", None, false),
            ("Schlüssel", Some("Schlüssel_1"), true),
            ("Schlussel", Some("Schlüssel_1"), false),
        ];
        for (providers, user_name, expected) in table {
            let providers: ExternalProviders = providers.parse().unwrap();
            assert_eq!(providers.admit(user_name), expected, "{user_name:?} under {providers:?}");
        }
    }

    #[test]
    fn rejects_names_that_cognito_does_not_allow() {
        for text in [
            "",
            ",",
            "Google,",
            "Google,,Okta",
            "Go",
            "Google Apps",
            "My_Company",
            "_Google",
            "Google\n",
            "Allow",
            "REFUSE",
            "allow,refuse",
            "refuse,Google",
            "Google,allow",
            &"x".repeat(33),
        ] {
            assert_eq!(text.parse::<ExternalProviders>(), Err(InvalidExternalProviders), "{text:?}");
        }
        for text in ["Google", "A_corp", "LoginWithAmazon", "SignInWithApple", &"x".repeat(32)] {
            assert!(text.parse::<ExternalProviders>().is_ok(), "{text:?}");
        }
    }
}
