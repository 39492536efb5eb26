//! An event of API Gateway, parsed independently of the API's code.

use std::fmt;

use serde_json::Value;

use super::subject::{CLIENT_ID, ISSUER, WRITERS};

/// The marker in secret fields.
pub(super) const CANARY: &str = "Canary7";

/// Secret fields of request bodies.
const SECRET_FIELDS: [&str; 8] =
    ["password", "new_password", "code", "session", "access_token", "refresh_token", "invitation", "client_metadata"];

/// Headers that contain tokens.
const SECRET_HEADERS: [&str; 2] = ["authorization", "x-access-token"];

/// An event.
pub(crate) struct Request {
    event: Value,
    /// The event as JSON text.
    text: String,
}

/// Shows the event, so that a finding can be reproduced.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Request {
    /// Parses an event. Returns none if it is not a JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(body).ok()?;
        event.is_object().then(|| Self { text: event.to_string(), event })
    }

    pub(super) fn event(&self) -> &Value {
        &self.event
    }

    /// Whether the text occurs in the event.
    pub(super) fn contains(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Whether the path can be a sign-up or sign-in route, which requires no caller.
    pub(super) fn is_open(&self) -> bool {
        ["rawPath", "path"].iter().any(|name| self.event[*name].as_str().is_some_and(|path| path.contains("/v1/auth")))
    }

    /// Whether the caller is a user of the pool with write permissions.
    pub(super) fn is_by_writer(&self) -> bool {
        self.is_by_one_of(&WRITERS)
    }

    /// Whether the caller is the user with every permission.
    pub(super) fn is_by_root(&self) -> bool {
        self.is_by_one_of(&WRITERS[..1])
    }

    fn is_by_one_of(&self, users: &[(&str, &str, &str)]) -> bool {
        let is_one = |claims: &Value| {
            users.iter().any(|(username, sub, group)| {
                claims["username"] == *username && claims["sub"] == *sub && groups(claims).contains(group)
            })
        };
        self.claims().any(is_one)
    }

    /// Whether the token's groups have `users:read`.
    pub(super) fn may_read_users(&self) -> bool {
        self.claims().any(|claims| ["admins", "readers"].iter().any(|group| groups(claims).contains(group)))
    }

    /// The claims of an access token of this pool and client, at their positions in the event.
    fn claims(&self) -> impl Iterator<Item = &Value> {
        let places = ["/requestContext/authorizer/jwt/claims", "/requestContext/authorizer/claims"];
        let claims = places.into_iter().filter_map(|place| self.event.pointer(place));
        claims.filter(|claims| {
            claims["token_use"] == "access" && claims["client_id"] == CLIENT_ID && claims["iss"] == ISSUER
        })
    }

    /// The event with the marker in every secret field. Returns none without such a field.
    pub(super) fn with_canaries(&self) -> Option<Self> {
        let mut event = self.event.clone();
        let mut marked = 0;
        if let Some(mut body) = event["body"].as_str().and_then(|body| serde_json::from_str(body).ok()) {
            marked += mark(&mut body, false);
            event["body"] = body.to_string().into();
        }
        for (name, value) in event["headers"].as_object_mut().into_iter().flatten() {
            if SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                marked += mark(value, true);
            }
        }
        let text = event.to_string();
        (marked > 0 && !self.contains(CANARY)).then_some(Self { event, text })
    }
}

/// Replaces all strings in secret fields with the marker. Returns their number.
fn mark(value: &mut Value, is_secret: bool) -> usize {
    match value {
        Value::String(text) if is_secret => {
            text.push_str(CANARY);
            1
        }
        Value::Array(elements) => elements.iter_mut().map(|element| mark(element, is_secret)).sum(),
        Value::Object(fields) => fields
            .iter_mut()
            .map(|(name, field)| mark(field, is_secret || SECRET_FIELDS.contains(&name.as_str())))
            .sum(),
        _ => 0,
    }
}

/// The groups in the claims.
fn groups(claims: &Value) -> String {
    claims["cognito:groups"].to_string()
}
