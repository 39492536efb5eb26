//! The claims of verified tokens.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::object::Object;
use crate::rejection::Rejection;

/// The kind of a token: the claim `token_use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenUse {
    /// An access token.
    Access,
    /// An ID token.
    Id,
}

/// The claims of a verified token. Times are in seconds since 1970. `Debug` omits personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Claims {
    /// The kind of the token.
    pub token_use: TokenUse,
    /// The immutable id of the user. In access tokens of the client credentials grant, the id of the app client.
    pub sub: String,
    /// The user name. `None` in access tokens of the client credentials grant, which belong to no user.
    pub username: Option<String>,
    /// The groups of the user when the token was issued. They include the group of an external identity provider, and a
    /// pre token generation trigger can change them.
    pub groups: Vec<String>,
    /// The unique id of the token: the claim `jti`.
    pub id: Option<String>,
    /// The app client: `client_id` of access tokens, and `aud` of ID tokens.
    pub client_id: String,
    /// The scopes of an access token. ID tokens have none.
    pub scopes: Vec<String>,
    /// The resources to which an access token is bound: its claim `aud`, which Cognito sets if the client requests the
    /// token for a resource. Empty if it is not bound.
    pub resources: Vec<String>,
    /// The session: the claim `origin_jti`, which all tokens of a sign-in share. `None` if the app client does not
    /// enable token revocation, and in access tokens of the client credentials grant.
    pub session: Option<String>,
    /// When the user signed in. In access tokens of the client credentials grant, when the token was issued.
    pub authenticated_at: u64,
    /// When the token was issued.
    pub issued_at: u64,
    /// When the token expires.
    pub expires_at: u64,
    /// When the token becomes valid, if it states so. Cognito does not.
    pub not_before: Option<u64>,
    others: Object,
}

/// A claim that is a text or a list of texts, such as `aud` (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Claims {
    /// Returns a claim without a field, such as `email`, `nonce` or `custom:tenant`. Returns `None` if it is absent or
    /// has another type. Duplicate names are rejected, except in objects inside of a claim.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.others.get(name)
    }

    /// Reads the issuer and the claims.
    pub(crate) fn read(mut object: Object) -> Result<(String, Self), Rejection> {
        let token_use = match required::<String>(&mut object, "token_use")?.as_str() {
            "access" => TokenUse::Access,
            "id" => TokenUse::Id,
            _ => return Err(Rejection::TokenUse),
        };
        let (client, username) = match token_use {
            TokenUse::Access => ("client_id", "username"),
            TokenUse::Id => ("aud", "cognito:username"),
        };
        let issuer = required(&mut object, "iss")?;
        let claims = Self {
            token_use,
            sub: required(&mut object, "sub")?,
            username: optional(&mut object, username)?,
            id: optional(&mut object, "jti")?,
            groups: optional(&mut object, "cognito:groups")?.unwrap_or_default(),
            client_id: required(&mut object, client)?,
            scopes: scopes(&mut object, token_use)?,
            resources: resources(&mut object, token_use)?,
            session: optional(&mut object, "origin_jti")?,
            authenticated_at: required(&mut object, "auth_time")?,
            issued_at: required(&mut object, "iat")?,
            expires_at: required(&mut object, "exp")?,
            not_before: optional(&mut object, "nbf")?,
            others: object,
        };
        let is_of_client = token_use == TokenUse::Access && claims.sub == claims.client_id;
        if claims.username.is_none() && !is_of_client {
            return Err(Rejection::Claim(username));
        }
        Ok((issuer, claims))
    }
}

fn scopes(object: &mut Object, token_use: TokenUse) -> Result<Vec<String>, Rejection> {
    let scopes: Option<String> = optional(object, "scope")?;
    Ok(match (scopes, token_use) {
        (Some(scopes), TokenUse::Access) => scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}

fn resources(object: &mut Object, token_use: TokenUse) -> Result<Vec<String>, Rejection> {
    let audience = if token_use == TokenUse::Access { optional(object, "aud")? } else { None };
    Ok(match audience {
        None => Vec::new(),
        Some(Texts::One(resource)) => vec![resource],
        Some(Texts::Many(resources)) => resources,
    })
}

fn required<T: DeserializeOwned>(object: &mut Object, name: &'static str) -> Result<T, Rejection> {
    optional(object, name)?.ok_or(Rejection::Claim(name))
}

fn optional<T: DeserializeOwned>(object: &mut Object, name: &'static str) -> Result<Option<T>, Rejection> {
    object.take(name).map_err(Rejection::Claim)
}

impl fmt::Debug for Claims {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Claims")
            .field("token_use", &self.token_use)
            .field("sub", &self.sub)
            .field("client_id", &self.client_id)
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
