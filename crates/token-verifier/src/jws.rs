//! The compact serialization of signed tokens (RFC 7515).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::object::Object;
use crate::rejection::Rejection;

/// Longer tokens are rejected before decoding. API Gateway and load balancers accept shorter headers only.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A token with a decoded header. Its claims must not be read before the signature is verified. Has no `Debug`, because
/// a token is a credential.
pub(crate) struct Jws<'a> {
    /// The id of the key.
    pub(crate) key_id: String,
    /// What is signed: the encoded header and claims.
    pub(crate) message: &'a [u8],
    pub(crate) signature: Vec<u8>,
    claims: &'a str,
}

impl<'a> Jws<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Rejection> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Rejection::TooLarge);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Rejection::Malformed);
        };
        let message = &token.as_bytes()[..token.len() - signature.len() - 1];
        let mut header = object(header)?;
        // The header cannot select an algorithm: the keys are for one only (RFC 8725, section 3.1).
        if header.take("alg").ok().flatten() != Some("RS256".to_owned()) {
            return Err(Rejection::Algorithm);
        }
        if header.contains("crit") {
            return Err(Rejection::Extension);
        }
        let key_id = header.take("kid").ok().flatten().ok_or(Rejection::Malformed)?;
        Ok(Self { key_id, message, signature: decode(signature)?, claims })
    }

    /// Decodes the claims.
    pub(crate) fn claims(&self) -> Result<Object, Rejection> {
        object(self.claims)
    }
}

fn object(encoded: &str) -> Result<Object, Rejection> {
    serde_json::from_slice(&decode(encoded)?).map_err(|_| Rejection::Malformed)
}

/// Decodes base64url without padding. Other spellings of the same bytes are rejected.
fn decode(encoded: &str) -> Result<Vec<u8>, Rejection> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Rejection::Malformed)
}
