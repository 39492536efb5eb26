//! Reads the settings from the environment once at startup. Startup fails on an invalid setting and names it.

use domain::migration::{MigratedAttributes, Policy};
use domain::spec::SignInWith;
use http::Uri;
use startup::{SettingError, optional, parsed, required};

const AWS_REGION: &str = "AWS_REGION";
const SIGN_IN: &str = "SIGN_IN";
const MIGRATION_ATTRIBUTES: &str = "MIGRATION_ATTRIBUTES";
const MIGRATION_USER_POOL_ID: &str = "MIGRATION_USER_POOL_ID";
const MIGRATION_CLIENT_ID: &str = "MIGRATION_CLIENT_ID";
const MIGRATION_ENDPOINT: &str = "MIGRATION_ENDPOINT";
const MIGRATION_SECRET_PARAMETER: &str = "MIGRATION_SECRET_PARAMETER";

const A_POOL_ID: &str = "must be the id of a user pool, e.g. eu-central-1_Ab12Cd34E";
const A_CLIENT_ID: &str = "must be the id of an app client of the old user pool";
const A_URL: &str = "must be an https URL without user and fragment";
const A_PARAMETER: &str = "must be the name of an SSM parameter, e.g. /shop/migration-secret";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AWS_REGION`: the Region of the function.
    pub region: String,
    /// `SIGN_IN` and `MIGRATION_ATTRIBUTES`: which users move.
    pub policy: Policy,
    /// The old directory.
    pub source: Source,
}

/// The old directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `MIGRATION_USER_POOL_ID` and `MIGRATION_CLIENT_ID`: another user pool of the account.
    UserPool {
        /// The id of the pool.
        user_pool_id: String,
        /// The Region of the pool, with which its id begins.
        region: String,
        /// The app client that checks passwords.
        client_id: String,
    },
    /// `MIGRATION_ENDPOINT` and `MIGRATION_SECRET_PARAMETER`: an HTTPS endpoint.
    Endpoint {
        /// The URL.
        url: String,
        /// The name of the SSM parameter with the secret that signs requests.
        secret_parameter: String,
    },
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let attributes = "must be comma-separated standard attributes such as `name`, or `custom:NAME`";
        let attributes: Option<MigratedAttributes> = parsed(&lookup, MIGRATION_ATTRIBUTES, attributes)?;
        Ok(Self {
            region: required(&lookup, AWS_REGION, "must be the Region of the function, e.g. eu-central-1")?,
            policy: Policy { sign_in: sign_in(&lookup)?, attributes: attributes.unwrap_or_default() },
            source: source(&lookup)?,
        })
    }
}

fn sign_in(lookup: impl Fn(&str) -> Option<String>) -> Result<SignInWith, SettingError> {
    const EXPECTED: &str = "must be `email` or `username`, as in the user pool";
    match required(lookup, SIGN_IN, EXPECTED)?.as_str() {
        "email" => Ok(SignInWith::Email),
        "username" => Ok(SignInWith::Username),
        _ => Err(SettingError::wrong(SIGN_IN, EXPECTED)),
    }
}

fn source(lookup: impl Fn(&str) -> Option<String>) -> Result<Source, SettingError> {
    match (optional(&lookup, MIGRATION_USER_POOL_ID), optional(&lookup, MIGRATION_ENDPOINT)) {
        (Some(user_pool_id), None) => {
            let region =
                region_of(&user_pool_id).ok_or_else(|| SettingError::wrong(MIGRATION_USER_POOL_ID, A_POOL_ID))?;
            Ok(Source::UserPool {
                region,
                user_pool_id,
                client_id: required(&lookup, MIGRATION_CLIENT_ID, A_CLIENT_ID)?,
            })
        }
        (None, Some(url)) => {
            if !is_https(&url) {
                return Err(SettingError::wrong(MIGRATION_ENDPOINT, A_URL));
            }
            Ok(Source::Endpoint { url, secret_parameter: required(&lookup, MIGRATION_SECRET_PARAMETER, A_PARAMETER)? })
        }
        (Some(_), Some(_)) => {
            let expectation =
                format!("must be absent, because {MIGRATION_USER_POOL_ID} is set, and users move from one directory");
            Err(SettingError::wrong(MIGRATION_ENDPOINT, expectation))
        }
        (None, None) => Err(SettingError::missing(
            MIGRATION_USER_POOL_ID,
            format!("{A_POOL_ID}, or {MIGRATION_ENDPOINT} must be set"),
        )),
    }
}

/// The Region in a pool id such as `eu-west-1_aBcDeFgHi`.
fn region_of(user_pool_id: &str) -> Option<String> {
    let (region, rest) = user_pool_id.split_once('_')?;
    let is_region = region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let is_id = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (!region.is_empty() && is_region && is_id).then(|| region.to_owned())
}

/// The password is sent to this URL, so that it must be encrypted.
fn is_https(url: &str) -> bool {
    let is_text = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('#');
    let parsed: Option<Uri> = url.parse().ok().filter(|_| is_text);
    parsed.is_some_and(|uri| {
        let authority = uri.authority().map(http::uri::Authority::as_str);
        uri.scheme_str() == Some("https") && authority.is_some_and(|authority| !authority.contains('@'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: [(&str, &str); 4] = [
        (AWS_REGION, "eu-west-1"),
        (SIGN_IN, "email"),
        (MIGRATION_USER_POOL_ID, "us-east-1_aBcDeFgHi"),
        (MIGRATION_CLIENT_ID, "client1"),
    ];

    /// Reads the settings of an old user pool with some of them changed. An empty value removes a setting.
    fn read_with(changes: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::read(|variable| {
            let settings = changes.iter().chain(&POOL);
            settings.into_iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_old_user_pool_with_the_region_of_its_id() {
        let settings = read_with(&[]).unwrap();
        let source = Source::UserPool {
            user_pool_id: "us-east-1_aBcDeFgHi".to_owned(),
            region: "us-east-1".to_owned(),
            client_id: "client1".to_owned(),
        };
        let policy = Policy { sign_in: SignInWith::Email, attributes: MigratedAttributes::default() };
        assert_eq!(settings, Settings { region: "eu-west-1".to_owned(), policy, source });
        let settings = read_with(&[(SIGN_IN, "username"), (MIGRATION_ATTRIBUTES, "email,custom:team")]).unwrap();
        assert_eq!(settings.policy.sign_in, SignInWith::Username);
        assert!(settings.policy.attributes.contains("custom:team") && !settings.policy.attributes.contains("name"));
    }

    #[test]
    fn reads_endpoint() {
        for url in ["https://example.com", "https://example.com:8443/users?x=1", "https://127.0.0.1/"] {
            let changes =
                [(MIGRATION_USER_POOL_ID, ""), (MIGRATION_ENDPOINT, url), (MIGRATION_SECRET_PARAMETER, "/shop/secret")];
            let source = Source::Endpoint { url: url.to_owned(), secret_parameter: "/shop/secret".to_owned() };
            assert_eq!(read_with(&changes).unwrap().source, source);
        }
    }

    #[test]
    fn names_missing_and_invalid_settings() {
        let table = [
            (AWS_REGION, "", "the Region of the function"),
            (SIGN_IN, "", "`email` or `username`"),
            (SIGN_IN, "phone", "`email` or `username`"),
            (MIGRATION_ATTRIBUTES, "sub", "standard attributes"),
            (MIGRATION_ATTRIBUTES, "email,,name", "standard attributes"),
            (
                MIGRATION_USER_POOL_ID,
                "",
                "the id of a user pool, e.g. eu-central-1_Ab12Cd34E, or MIGRATION_ENDPOINT must be set",
            ),
            (MIGRATION_USER_POOL_ID, "aBcDeFgHi", "the id of a user pool"),
            (MIGRATION_USER_POOL_ID, "_a", "the id of a user pool"),
            (MIGRATION_USER_POOL_ID, "us-east-1_", "the id of a user pool"),
            (MIGRATION_USER_POOL_ID, "evil.example/_a", "the id of a user pool"),
            (MIGRATION_CLIENT_ID, "", "an app client of the old user pool"),
            (MIGRATION_ENDPOINT, "https://example.com", "must be absent, because MIGRATION_USER_POOL_ID is set"),
        ];
        for (variable, value, expectation) in table {
            let error = read_with(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable, "{value}");
            assert!(error.to_string().contains(expectation), "{variable}={value}: {error}");
        }
    }

    #[test]
    fn rejects_endpoint_that_is_not_https_without_its_value() {
        for url in [
            "http://example.com",
            "example.com/canary",
            "https://",
            "https:///canary",
            "https://user:canary@example.com",
            "https://example.com/#canary",
            "https://example.com/a b",
            "https://example.com/\u{e9}",
        ] {
            let changes =
                [(MIGRATION_USER_POOL_ID, ""), (MIGRATION_ENDPOINT, url), (MIGRATION_SECRET_PARAMETER, "/shop/secret")];
            let error = read_with(&changes).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the setting MIGRATION_ENDPOINT has an invalid value: {A_URL}"),
                "{url}"
            );
        }
        let error =
            read_with(&[(MIGRATION_USER_POOL_ID, ""), (MIGRATION_ENDPOINT, "https://example.com")]).unwrap_err();
        assert_eq!(error.variable, MIGRATION_SECRET_PARAMETER);
    }
}
