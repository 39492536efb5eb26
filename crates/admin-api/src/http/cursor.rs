//! Cursors of lists: where the next page begins, sealed together with the list that it is a page of.
//!
//! A cursor holds a place and a seal over it: an HMAC under the key of [`domain::user_pool::cursor_key::CursorKey`], which covers the list (its
//! path and everything that narrows it down) as well. So a cursor works for the list that it came from and for no other, and nobody
//! can make one up (where the app client has a secret: see the port). It holds no secret: the place is Cognito's own token.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::user_pool::cursor_key::CursorKey;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

use crate::http::error::ApiError;

/// Seals and opens cursors.
#[derive(Clone)]
pub(crate) struct Cursors {
    key: Arc<dyn CursorKey>,
}

impl Cursors {
    pub(crate) fn new(key: Arc<dyn CursorKey>) -> Self {
        Self { key }
    }

    /// A cursor to this place of the list.
    pub(crate) async fn seal(&self, list: &str, place: &impl Serialize) -> Result<String, ApiError> {
        let place = serde_json::to_vec(place).map_err(|_| ApiError::Internal("a place cannot be written down"))?;
        let mut sealed = self.mac(list, &place).await?.finalize().into_bytes().to_vec();
        sealed.extend(place);
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The place of the list that the cursor leads to. Refuses whatever [`Cursors::seal`] did not make for this list.
    pub(crate) async fn open<Place: DeserializeOwned>(&self, list: &str, cursor: &str) -> Result<Place, ApiError> {
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refusal())?;
        let (seal, place) = sealed.split_at_checked(SEAL_BYTES).ok_or_else(refusal)?;
        self.mac(list, place).await?.verify_slice(seal).map_err(|_| refusal())?;
        serde_json::from_slice(place).map_err(|_| refusal())
    }

    async fn mac(&self, list: &str, place: &[u8]) -> Result<Hmac<Sha256>, ApiError> {
        let key = self.key.cursor_key().await?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())
            .map_err(|_| ApiError::Internal("the key of cursors cannot be used"))?;
        // With its length in front, the list cannot lend letters to the place.
        mac.update(&(list.len() as u64).to_be_bytes());
        mac.update(list.as_bytes());
        mac.update(place);
        Ok(mac)
    }
}

const SEAL_BYTES: usize = 32;

fn refusal() -> ApiError {
    ApiError::invalid("cursor", "Expected the `next_cursor` of the page before, with the same parameters beside it.")
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
    async fn a_cursor_leads_to_its_place_in_its_list_in_every_instance() {
        let cursor = cursors("key").seal("users?email=a", &("token+/=", 7)).await.unwrap();
        let place: (String, u8) = cursors("key").open("users?email=a", &cursor).await.unwrap();
        assert_eq!(place, ("token+/=".to_owned(), 7));
        assert!(cursor.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)));
    }

    #[tokio::test]
    async fn a_cursor_of_another_list_or_key_is_refused() {
        let cursor = cursors("key").seal("users?email=a", &"here").await.unwrap();
        for list in ["users?email=b", "users?email=", "users?email=a&", "users", "groups", ""] {
            assert!(is_refused(cursors("key").open::<String>(list, &cursor).await), "{list}");
        }
        assert!(is_refused(cursors("other").open::<String>("users?email=a", &cursor).await));
    }

    #[tokio::test]
    async fn a_cursor_with_any_bit_changed_is_refused() {
        let bytes = URL_SAFE_NO_PAD.decode(cursors("key").seal("users", &"here").await.unwrap()).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let cursor = URL_SAFE_NO_PAD.encode(changed);
            assert!(is_refused(cursors("key").open::<String>("users", &cursor).await), "bit {bit}");
        }
    }

    #[tokio::test]
    async fn what_is_no_cursor_at_all_is_refused() {
        let unsealed = URL_SAFE_NO_PAD.encode(br#""here""#);
        for cursor in ["", "***", "Zm9yZ2Vk", &unsealed, &"A".repeat(43), &"A".repeat(5000)] {
            assert!(is_refused(cursors("key").open::<String>("users", cursor).await), "{cursor}");
        }
    }

    #[tokio::test]
    async fn without_a_key_there_is_no_cursor() {
        let cursors = Cursors::new(Arc::new(Key(None)));
        assert!(matches!(cursors.seal("users", &"here").await, Err(ApiError::UserPool(_))));
    }
}
