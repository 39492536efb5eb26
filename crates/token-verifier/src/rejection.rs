//! The reasons to reject a token.

use thiserror::Error;

/// Why a token is rejected. The reason is for logs, and contains nothing from the token. HTTP services respond with 403
/// to [`Scope`](Self::Scope) and [`Group`](Self::Group), and with 401 to all others (RFC 6750, section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The token has more than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES) bytes.
    #[error("the token is too large")]
    TooLarge,
    /// The token is not a compact JWS with a JSON header and JSON claims without duplicates.
    #[error("the token is malformed")]
    Malformed,
    /// The algorithm is not RS256, the only one of Cognito.
    #[error("the algorithm is not RS256")]
    Algorithm,
    /// The header requires an extension (`crit`).
    #[error("the header requires an extension")]
    Extension,
    /// No key has the id in the header. See [`KeyCache`](crate::KeyCache).
    #[error("the key is unknown")]
    UnknownKey,
    /// The signature does not match.
    #[error("the signature is invalid")]
    Signature,
    /// A claim is missing or has another type.
    #[error("the claim `{0}` is missing or invalid")]
    Claim(&'static str),
    /// Another issuer, such as another user pool, issued the token.
    #[error("the issuer is not accepted")]
    Issuer,
    /// The kind of token is not accepted.
    #[error("the kind of token (`token_use`) is not accepted")]
    TokenUse,
    /// The token belongs to another app client.
    #[error("the app client is not accepted")]
    Client,
    /// The access token is bound to other resources (claim `aud`).
    #[error("the token is bound to another resource")]
    Resource,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token has none of the required scopes.
    #[error("the token has none of the required scopes")]
    Scope,
    /// The token has none of the required groups.
    #[error("the token has none of the required groups")]
    Group,
}
