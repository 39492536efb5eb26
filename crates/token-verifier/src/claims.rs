//! The claims of verified tokens.

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

/// The claims of a verified token. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The kind of the token.
    pub token_use: TokenUse,
    /// The immutable id of the user. In access tokens of the client credentials grant, the id of the app client.
    pub sub: String,
    /// The user name. `None` in access tokens of the client credentials grant, which belong to no user.
    pub username: Option<String>,
    /// The groups of the user when the token was issued.
    pub groups: Vec<String>,
    /// The app client: `client_id` of access tokens, and `aud` of ID tokens.
    pub client_id: String,
    /// The scopes of an access token. ID tokens have none.
    pub scopes: Vec<String>,
    /// The session: the claim `origin_jti`, which all tokens of a sign-in share. `None` if the app client does not
    /// enable token revocation.
    pub session: Option<String>,
    /// When the user signed in.
    pub authenticated_at: u64,
    /// When the token was issued.
    pub issued_at: u64,
    /// When the token expires.
    pub expires_at: u64,
    /// When the token becomes valid, if it states so. Cognito does not.
    pub not_before: Option<u64>,
}

impl Claims {
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
            groups: optional(&mut object, "cognito:groups")?.unwrap_or_default(),
            client_id: required(&mut object, client)?,
            scopes: scopes(&mut object, token_use)?,
            session: optional(&mut object, "origin_jti")?,
            authenticated_at: required(&mut object, "auth_time")?,
            issued_at: required(&mut object, "iat")?,
            expires_at: required(&mut object, "exp")?,
            not_before: optional(&mut object, "nbf")?,
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

fn required<T: DeserializeOwned>(object: &mut Object, name: &'static str) -> Result<T, Rejection> {
    optional(object, name)?.ok_or(Rejection::Claim(name))
}

fn optional<T: DeserializeOwned>(object: &mut Object, name: &'static str) -> Result<Option<T>, Rejection> {
    object.take(name).map_err(Rejection::Claim)
}
