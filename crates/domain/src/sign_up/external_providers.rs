//! Which external providers people may come from.

use thiserror::Error;

/// Whether people may come into the pool by their first sign-in at an external provider (`EXTERNAL_PROVIDERS`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ExternalProviders {
    /// From all that the pool knows.
    #[default]
    Allow,
    /// From none.
    Refuse,
    /// From these.
    Only(Vec<ProviderName>),
}

/// The name of an external provider, as the pool has it.
///
/// Cognito's own pattern keeps these names free of blanks, and of underscores but for the second character; so the first underscore
/// after that ends the name in `NAME_subject`, and no name is the beginning of another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderName(String);

/// The text is no value of `EXTERNAL_PROVIDERS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected `allow`, `refuse`, or names of providers with commas between them, e.g. `Google,Okta`")]
pub struct NotExternalProviders;

impl ExternalProviders {
    /// Whether the user of this name may come in. User names of external providers are `NAME_subject`; one that is not known
    /// comes from nowhere that is on a list.
    #[must_use]
    pub fn admit(&self, user_name: Option<&str>) -> bool {
        match self {
            Self::Allow => true,
            Self::Refuse => false,
            Self::Only(names) => user_name.is_some_and(|user_name| names.iter().any(|name| name.begins(user_name))),
        }
    }
}

impl ProviderName {
    /// Whether the user name begins with the provider's name. In a pool that is not case-sensitive Cognito writes the name small.
    fn begins(&self, user_name: &str) -> bool {
        let beginning = user_name.as_bytes().get(..self.0.len());
        let rest = user_name.as_bytes().get(self.0.len()..).unwrap_or_default();
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(self.0.as_bytes()))
            && rest.starts_with(b"_")
            && rest.len() > 1
    }
}

impl std::str::FromStr for ExternalProviders {
    type Err = NotExternalProviders;

    fn from_str(text: &str) -> Result<Self, NotExternalProviders> {
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
    type Err = NotExternalProviders;

    fn from_str(text: &str) -> Result<Self, NotExternalProviders> {
        let is_of_cognitos_pattern = (3..=32).contains(&text.chars().count())
            && text.chars().enumerate().all(|(place, character)| match character {
                '_' => place == 1,
                _ => !character.is_whitespace() && !character.is_control(),
            });
        // As names these words are a slip: somebody meant the setting, and would get a provider that does not exist.
        let is_a_slip = ["allow", "refuse"].iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_of_cognitos_pattern && !is_a_slip { Ok(Self(text.to_owned())) } else { Err(NotExternalProviders) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_the_beginning_of_the_user_name() {
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
    fn what_cognito_could_never_call_a_provider_is_refused() {
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
            assert_eq!(text.parse::<ExternalProviders>(), Err(NotExternalProviders), "{text:?}");
        }
        for text in ["Google", "A_corp", "LoginWithAmazon", "SignInWithApple", &"x".repeat(32)] {
            assert!(text.parse::<ExternalProviders>().is_ok(), "{text:?}");
        }
    }
}
