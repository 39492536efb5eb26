//! List cursors. A cursor contains the position of the next page and an HMAC whose key is from
//! [`domain::user_pool::cursor_key::CursorKey`]. The HMAC covers the list (its path and filters), so a cursor is valid
//! for this list only. The position is Cognito's pagination token, which is not secret.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::user_pool::cursor_key::CursorKey;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::http::error::ApiError;

/// Creates and verifies cursors.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: Arc<dyn CursorKey>,
}

impl Cursors {
    pub(crate) fn new(key: Arc<dyn CursorKey>) -> Self {
        Self { key }
    }

    /// Returns a cursor to this position of the list.
    pub(crate) async fn seal(&self, list: &str, position: &impl Serialize) -> Result<String, ApiError> {
        let position = serde_json::to_vec(position)
            .map_err(|_| ApiError::Internal("the position of a cursor cannot be serialized"))?;
        let mut sealed = self.mac(list, &position).await?.finalize().into_bytes().to_vec();
        sealed.extend(position);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Returns the position. Rejects cursors that [`Cursors::seal`] did not create for this list.
    pub(crate) async fn open<Position: DeserializeOwned>(
        &self,
        list: &str,
        cursor: &str,
    ) -> Result<Position, ApiError> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid_cursor())?;
        let (seal, position) = sealed.split_at_checked(SEAL_BYTES).ok_or_else(invalid_cursor)?;
        self.mac(list, position).await?.verify_slice(seal).map_err(|_| invalid_cursor())?;
        serde_json::from_slice(position).map_err(|_| invalid_cursor())
    }

    async fn mac(&self, list: &str, position: &[u8]) -> Result<Hmac<Sha256>, ApiError> {
        let key = self.key.cursor_key().await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
            .map_err(|_| ApiError::Internal("the cursor key cannot be used"))?;
        // The length separates the list from the position.
        mac.update(&(list.len() as u64).to_be_bytes());
        mac.update(list.as_bytes());
        mac.update(position);
        Ok(mac)
    }
}

const SEAL_BYTES: usize = 32;

fn invalid_cursor() -> ApiError {
    ApiError::invalid("cursor", "Must be the `next_cursor` of the previous page, with the same parameters.")
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use domain::secret::Secret;
    use domain::user_pool::error::{Reason, UserPoolError};

    use super::*;

    struct Key(Option<&'static str>);

    #[async_trait]
    impl CursorKey for Key {
        async fn cursor_key(&self) -> Result<Secret, UserPoolError> {
            self.0.map(Secret::new).ok_or_else(|| UserPoolError::new("cursor_key", Reason::Throttled))
        }

        async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError> {
            Ok(None)
        }
    }

    fn cursors(key: &'static str) -> Cursors {
        Cursors::new(Arc::new(Key(Some(key))))
    }

    fn is_refused<T>(outcome: Result<T, ApiError>) -> bool {
        matches!(outcome, Err(ApiError::InvalidRequest { field: Some(field), .. }) if field == "cursor")
    }

    #[tokio::test]
    async fn opens_cursor_in_every_instance() {
        let cursor = cursors("key").seal("users?email=a", &("token+/=", 7)).await.unwrap();
        let position: (String, u8) = cursors("key").open("users?email=a", &cursor).await.unwrap();
        assert_eq!(position, ("token+/=".to_owned(), 7));
        assert!(cursor.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)));
    }

    #[tokio::test]
    async fn rejects_cursor_of_another_list_or_key() {
        let cursor = cursors("key").seal("users?email=a", &"here").await.unwrap();
        for list in ["users?email=b", "users?email=", "users?email=a&", "users", "groups", ""] {
            assert!(is_refused(cursors("key").open::<String>(list, &cursor).await), "{list}");
        }
        assert!(is_refused(cursors("other").open::<String>("users?email=a", &cursor).await));
    }

    #[tokio::test]
    async fn rejects_cursor_with_any_changed_bit() {
        let bytes = URL_SAFE_NO_PAD.decode(cursors("key").seal("users", &"here").await.unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let cursor = URL_SAFE_NO_PAD.encode(changed);
            assert!(is_refused(cursors("key").open::<String>("users", &cursor).await), "bit {bit}");
        }
    }

    #[tokio::test]
    async fn rejects_malformed_cursor() {
        let unsealed = URL_SAFE_NO_PAD.encode(br#""here""#);
        for cursor in ["", "***", "Zm9yZ2Vk", &unsealed, &"A".repeat(43), &"A".repeat(5000)] {
            assert!(is_refused(cursors("key").open::<String>("users", cursor).await), "{cursor}");
        }
    }

    #[tokio::test]
    async fn fails_to_seal_without_key() {
        let cursors = Cursors::new(Arc::new(Key(None)));
        assert!(matches!(cursors.seal("users", &"here").await, Err(ApiError::UserPool(_))));
    }
}
