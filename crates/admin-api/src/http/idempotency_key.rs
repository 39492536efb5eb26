//! The header `Idempotency-Key`, which makes a request safe to repeat.

use axum::extract::FromRequestParts;
use http::HeaderValue;
use http::request::Parts;

use crate::http::error::ApiError;

const NAME: &str = "Idempotency-Key";

/// The key, if present. The key is not stored. The creation proof of a user and the id of a job depend on it.
pub(crate) struct IdempotencyKey(pub(crate) Option<String>);

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let keys: Vec<_> = parts.headers.get_all(NAME).iter().collect();
        match keys[..] {
            [] => Ok(Self(None)),
            [key] if is_key(key) => Ok(Self(key.to_str().ok().map(str::to_owned))),
            _ => Err(ApiError::invalid(NAME, "The header must be one value of 1–255 visible ASCII characters.")),
        }
    }
}

fn is_key(value: &HeaderValue) -> bool {
    (1..=255).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn accepts_only_one_key_of_visible_ascii_characters() {
        let longest = "x".repeat(255);
        let too_long = "x".repeat(256);
        let table: [(&[&str], Option<Option<&str>>); 9] = [
            (&[], Some(None)),
            (&["8e03978e-40d5-43e8-bc93-6894a57f9324"], Some(Some("8e03978e-40d5-43e8-bc93-6894a57f9324"))),
            (&["!\"#~"], Some(Some("!\"#~"))),
            (&[&longest], Some(Some(&longest))),
            (&[&too_long], None),
            (&[""], None),
            (&["two words"], None),
            (&["schlüssel"], None),
            (&["one", "two"], None),
        ];
        for (keys, expected) in table {
            let mut request = http::Request::new(());
            request.headers_mut().extend(keys.iter().map(|key| {
                let key = HeaderValue::from_bytes(key.as_bytes()).unwrap();
                (http::HeaderName::from_static("idempotency-key"), key)
            }));
            let outcome = IdempotencyKey::from_request_parts(&mut request.into_parts().0, &()).await;
            match (outcome, expected) {
                (Ok(IdempotencyKey(found)), Some(expected)) => assert_eq!(found.as_deref(), expected, "{keys:?}"),
                (Err(ApiError::InvalidRequest { field, .. }), None) => assert_eq!(field.as_deref(), Some(NAME)),
                _ => panic!("{keys:?}"),
            }
        }
    }
}
