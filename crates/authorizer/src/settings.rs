//! Reads the settings from the environment once at startup. Startup fails on an invalid setting and names it.

use std::collections::BTreeSet;

use domain::revocation::{EXPECTED_TABLE_NAME, is_table_name};
use startup::{SettingError, optional, required};
use token_verifier::{KeySet, Policy, TokenUse};

use crate::request::TokenSource;

const AWS_REGION: &str = "AWS_REGION";
const ISSUER: &str = "ISSUER";
const CLIENT_IDS: &str = "CLIENT_IDS";
const TOKEN_USES: &str = "TOKEN_USES";
const REQUIRED_SCOPES: &str = "REQUIRED_SCOPES";
const REQUIRED_GROUPS: &str = "REQUIRED_GROUPS";
const RESOURCES: &str = "RESOURCES";
const TOKEN_COOKIE: &str = "TOKEN_COOKIE";
const JWKS: &str = "JWKS";
const REVOCATION_TABLE: &str = "REVOCATION_TABLE";

/// The settings of the function.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AWS_REGION`: the region of the table.
    pub region: String,
    /// `ISSUER`, `CLIENT_IDS`, `TOKEN_USES`, `REQUIRED_SCOPES`, `REQUIRED_GROUPS`, `RESOURCES`: the accepted tokens.
    pub policy: Policy,
    /// `TOKEN_COOKIE`: the cookie with the token. Default: the header `Authorization`.
    pub token_source: TokenSource,
    /// `JWKS`: the public keys of the user pool. Default: downloaded at startup.
    pub keys: Option<KeySet>,
    /// `REVOCATION_TABLE`: the name of the DynamoDB table of revocations.
    pub revocation_table: String,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let issuer = required(&lookup, ISSUER, EXPECTED_ISSUER)?;
        if !is_url(&issuer) {
            return Err(SettingError::wrong(ISSUER, EXPECTED_ISSUER));
        }
        Ok(Self {
            region: required(&lookup, AWS_REGION, "must be the region of the table, e.g. eu-central-1")?,
            token_source: token_source(&lookup)?,
            keys: keys(&lookup)?,
            revocation_table: revocation_table(&lookup)?,
            policy: Policy {
                issuer,
                clients: list(&lookup, CLIENT_IDS)?
                    .ok_or_else(|| SettingError::missing(CLIENT_IDS, "must be ids of app clients, comma-separated"))?,
                token_uses: token_uses(&lookup)?,
                resources: list(&lookup, RESOURCES)?.unwrap_or_default(),
                scopes: list(&lookup, REQUIRED_SCOPES)?,
                groups: list(&lookup, REQUIRED_GROUPS)?,
                ..Policy::default()
            },
        })
    }
}

const EXPECTED_ISSUER: &str =
    "must be the issuer of the user pool's tokens, e.g. https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID";

fn is_url(value: &str) -> bool {
    let rest = value.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(|c| c.is_ascii_graphic()))
}

/// Reads comma-separated values. Returns `None` if the setting is absent.
fn list(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
) -> Result<Option<BTreeSet<String>>, SettingError> {
    let Some(text) = optional(lookup, variable) else { return Ok(None) };
    let values: BTreeSet<String> = text.split(',').map(|value| value.trim().to_owned()).collect();
    let has_space = |value: &String| value.is_empty() || value.contains(char::is_whitespace);
    if values.iter().any(has_space) {
        return Err(SettingError::wrong(variable, "must be comma-separated values without whitespace"));
    }
    Ok(Some(values))
}

fn token_uses(lookup: impl Fn(&str) -> Option<String>) -> Result<BTreeSet<TokenUse>, SettingError> {
    let Some(names) = list(&lookup, TOKEN_USES)? else { return Ok([TokenUse::Access].into()) };
    let token_use = |name: &String| match name.as_str() {
        "access" => Ok(TokenUse::Access),
        "id" => Ok(TokenUse::Id),
        _ => Err(SettingError::wrong(TOKEN_USES, "must be `access`, `id` or `access,id`")),
    };
    names.iter().map(token_use).collect()
}

fn token_source(lookup: impl Fn(&str) -> Option<String>) -> Result<TokenSource, SettingError> {
    let Some(name) = optional(lookup, TOKEN_COOKIE) else { return Ok(TokenSource::Authorization) };
    // A token of RFC 6265, section 4.1.1.
    let is_valid = name.chars().all(|c| c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?={}".contains(c));
    if is_valid {
        Ok(TokenSource::Cookie(name))
    } else {
        Err(SettingError::wrong(TOKEN_COOKIE, "must be the name of a cookie"))
    }
}

fn keys(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<KeySet>, SettingError> {
    let Some(text) = optional(lookup, JWKS) else { return Ok(None) };
    let expectation = |error| format!("must be the user pool's JWKS document: {error}");
    KeySet::parse(text.as_bytes()).map(Some).map_err(|error| SettingError::wrong(JWKS, expectation(error)))
}

fn revocation_table(lookup: impl Fn(&str) -> Option<String>) -> Result<String, SettingError> {
    let name = required(lookup, REVOCATION_TABLE, EXPECTED_TABLE_NAME)?;
    if is_table_name(&name) { Ok(name) } else { Err(SettingError::wrong(REVOCATION_TABLE, EXPECTED_TABLE_NAME)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        (AWS_REGION, "eu-west-1"),
        (ISSUER, "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi"),
        (CLIENT_IDS, "web"),
        (REVOCATION_TABLE, "shop-revocations"),
    ];

    /// Reads valid settings with some of them changed. An empty value removes a setting.
    fn read_with(changes: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::read(|variable| {
            let settings = changes.iter().chain(&GOOD);
            settings.into_iter().find(|(name, _)| *name == variable).map(|(_, value)| (*value).to_owned())
        })
    }

    fn set(values: &[&str]) -> BTreeSet<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn accepts_access_tokens_of_the_clients_by_default() {
        let settings = read_with(&[]).unwrap();
        let expected = Policy {
            issuer: GOOD[1].1.to_owned(),
            clients: set(&["web"]),
            token_uses: [TokenUse::Access].into(),
            ..Policy::default()
        };
        assert_eq!(settings.policy, expected);
        assert_eq!(settings.token_source, TokenSource::Authorization);
        assert_eq!((settings.region.as_str(), settings.revocation_table.as_str()), ("eu-west-1", "shop-revocations"));
    }

    #[test]
    fn reads_optional_settings() {
        let settings = read_with(&[
            (CLIENT_IDS, "web, backend"),
            (TOKEN_USES, "id,access"),
            (REQUIRED_SCOPES, "shop/read"),
            (REQUIRED_GROUPS, "staff,admins"),
            (RESOURCES, "https://shop.example"),
            (TOKEN_COOKIE, "__Host-token"),
        ])
        .unwrap();
        assert_eq!(settings.policy.clients, set(&["backend", "web"]));
        assert_eq!(settings.policy.token_uses, [TokenUse::Access, TokenUse::Id].into());
        assert_eq!(settings.policy.scopes, Some(set(&["shop/read"])));
        assert_eq!(settings.policy.groups, Some(set(&["admins", "staff"])));
        assert_eq!(settings.policy.resources, set(&["https://shop.example"]));
        assert_eq!(settings.token_source, TokenSource::Cookie("__Host-token".to_owned()));
    }

    #[test]
    fn names_missing_and_invalid_settings() {
        for (variable, value, expectation) in [
            (AWS_REGION, "", "the region of the table"),
            (ISSUER, "", "the issuer of the user pool's tokens"),
            (ISSUER, "http://cognito-idp.eu-west-1.amazonaws.com/pool", "the issuer of the user pool's tokens"),
            (ISSUER, "https:///pool", "the issuer of the user pool's tokens"),
            (ISSUER, "https://host/po ol", "the issuer of the user pool's tokens"),
            (CLIENT_IDS, "", "ids of app clients"),
            (CLIENT_IDS, ",", "comma-separated values"),
            (CLIENT_IDS, "web,,backend", "comma-separated values"),
            (CLIENT_IDS, "web backend", "comma-separated values"),
            (REQUIRED_GROUPS, "admins,", "comma-separated values"),
            (TOKEN_USES, "refresh", "`access`, `id` or `access,id`"),
            (TOKEN_USES, "Access", "`access`, `id` or `access,id`"),
            (TOKEN_COOKIE, "a=b", "the name of a cookie"),
            (TOKEN_COOKIE, "a b", "the name of a cookie"),
            (JWKS, "{}", "the user pool's JWKS document: not a JWKS document"),
            (JWKS, r#"{"keys":[]}"#, "the user pool's JWKS document: no usable key"),
            (REVOCATION_TABLE, "", "the name of a DynamoDB table"),
            (REVOCATION_TABLE, "ab", "the name of a DynamoDB table"),
            (REVOCATION_TABLE, "arn:aws:dynamodb:eu-west-1:1:table/shop", "the name of a DynamoDB table"),
        ] {
            let error = read_with(&[(variable, value)]).unwrap_err();
            assert_eq!(error.variable, variable, "{value}");
            assert!(error.to_string().contains(expectation), "{variable}={value}: {error}");
        }
    }
}
