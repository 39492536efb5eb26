//! `POST /v1/pool/revoke-all`: ends all sessions of the user pool, or of one app client.

use axum::extract::State;
use domain::revocation::Scope;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::record::Audit;
use crate::audit::steps::Progress;
use crate::fields::text::ClientId;
use crate::http::error::ApiError;
use crate::http::json::Json;

/// The sessions to end.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevokeAll, example = json!({"client_id": "1example23456789"}))]
pub(crate) struct Body {
    /// The app client whose sessions end. If absent, all sessions of the user pool end.
    client_id: Option<ClientId>,
}

/// Revoke all tokens
///
/// Ends all sessions of the user pool, or of one app client, at services that check revocations. Their users must sign in
/// again, the caller included if the caller's token is revoked. Tokens of the client credentials grant that were issued
/// until now are revoked as well. Cognito accepts the access and refresh tokens at its own API until they expire. After
/// `revocations-unavailable`, some tokens can be revoked already; sign in again, then repeat the request. Requires the
/// session gate.
#[utoipa::path(
    post, path = "/v1/pool/revoke-all", tag = "pool", operation_id = "revoke_all",
    request_body = Body,
    responses((status = 204, description = "The tokens are revoked.")),
    extensions(("x-problems" = json!(["wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    progress: Progress,
    Json(body): Json<Body>,
) -> Result<StatusCode, ApiError> {
    let scope = match body.client_id.map(String::from) {
        None => Scope::Pool,
        Some(client_id) => {
            audit.fields(["client_id"]);
            // A misspelled id would revoke nothing.
            if !app.pool.has_client(&client_id).await? {
                return Err(ApiError::invalid("client_id", "The user pool has no app client with this id."));
            }
            Scope::Client(client_id)
        }
    };
    app.revoke_all(&progress, &scope).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::revocation::{Revocation, Scope};
    use serde_json::{Value, json};
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

    use crate::testing::{Answer, Api, CLIENT_ID, Call, token};

    async fn revoke_all(api: &Api, body: &Value) -> Answer {
        api.call(Call::post("/v1/pool/revoke-all", Some(body))).await
    }

    #[tokio::test]
    async fn revokes_the_tokens_of_the_pool_or_a_client() {
        for (body, scope) in [
            (json!({}), Scope::Pool),
            (json!({"client_id": null}), Scope::Pool),
            (json!({"client_id": CLIENT_ID}), Scope::Client(CLIENT_ID.to_owned())),
        ] {
            let revocations = Arc::<InMemoryRevocations>::default();
            let api = Api::with_revocations(&revocations);
            assert_eq!(revoke_all(&api, &body).await.status, 204, "{body}");
            assert_eq!(revocations.all(), [(scope, Revocation::of_sign_ins_until(0))].into(), "{body}");
        }
    }

    #[tokio::test]
    async fn rejects_unknown_clients_and_malformed_bodies() {
        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        for (body, field) in [
            (json!({"client_id": "unknown"}), "client_id"),
            (json!({"client_id": ""}), "client_id"),
            (json!({"client_id": "a b"}), "client_id"),
            (json!({"client": CLIENT_ID}), "client"),
        ] {
            let answer = revoke_all(&api, &body).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
        let no_body = api.call(Call::post("/v1/pool/revoke-all", None)).await;
        assert_eq!(no_body.status, 400);
        assert!(revocations.all().is_empty());
    }

    #[tokio::test]
    async fn fails_without_gate_table_or_permission() {
        let without_gate = revoke_all(&Api::new(), &json!({})).await;
        assert_eq!((without_gate.status, without_gate.code()), (409, "wrong-state"));
        assert!(without_gate.body["detail"].as_str().unwrap().contains("SessionGate"), "{}", without_gate.body);

        let revocations = Arc::<InMemoryRevocations>::default();
        let api = Api::with_revocations(&revocations);
        let by_reader = Call::post("/v1/pool/revoke-all", Some(&json!({}))).by(token("ray", "[readers]"));
        assert_eq!(api.call(by_reader).await.status, 403);
        revocations.set_fault(Some(Fault::Write(1)));
        let unavailable = revoke_all(&api, &json!({})).await;
        assert_eq!((unavailable.status, unavailable.code()), (503, "revocations-unavailable"));
        assert!(revocations.all().is_empty());
    }
}
