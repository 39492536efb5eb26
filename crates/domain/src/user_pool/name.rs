//! The common format of user names and group names.

use thiserror::Error;

/// The text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1–128 characters without whitespace or control characters")]
pub struct InvalidName;

/// Declares a name of 1 to 128 characters without whitespace or control characters (Cognito's limits).
macro_rules! name {
    ($(#[$attribute:meta])* $name:ident) => {
        $(#[$attribute])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The maximum length in characters.
            pub const MAX_CHARS: usize = 128;

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::user_pool::name::InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let fits = (1..=Self::MAX_CHARS).contains(&text.chars().count());
                let clean = !text.chars().any(|character| character.is_whitespace() || character.is_control());
                if fits && clean { Ok(Self(text)) } else { Err($crate::user_pool::name::InvalidName) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::user_pool::name::InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

pub(crate) use name;
