//! `POST /v1/auth/sign-up`: creates a user, who is confirmed immediately or by a code.

use axum::extract::State;
use domain::user_pool::sessions::{ClientContext, CodeDelivery, Registration};
use domain::user_pool::user::{Attributes, Username};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{example_delivery, require_writable};
use crate::app::App;
use crate::audit::record::Audit;
use crate::fields::attributes::{AttributesBody, attributes};
use crate::fields::text::Password;
use crate::http::client_context::{ClientInfo, DeviceData};
use crate::http::error::ApiError;
use crate::http::json::Json;

/// A new user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUp, example = json!({
    "username": "mia", "password": "Correct-Horse-9", "attributes": {"email": "mia@example.com"}
}))]
pub(crate) struct Body {
    username: Username,
    password: Password,
    #[serde(default)]
    attributes: AttributesBody,
    /// Data for the pre-sign-up trigger; not stored. Pass an invitation as `invitation` here or in `client_metadata`.
    #[serde(default)]
    validation_data: AttributesBody,
    /// Data for all triggers; not stored.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    client_metadata: Attributes,
}

impl Body {
    fn registration(self, context: ClientContext) -> Registration {
        let body = self;
        Registration {
            username: body.username,
            password: body.password.into(),
            attributes: attributes(body.attributes),
            validation_data: attributes(body.validation_data),
            client_metadata: body.client_metadata,
            context,
        }
    }
}

/// The result of a sign-up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedUp, example = json!({
    "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7", "confirmed": false, "code_sent_to": example_delivery()
}))]
pub(crate) struct Answer {
    sub: String,
    /// Whether the user can sign in immediately.
    confirmed: bool,
    /// The destination of the code; null if no code was sent.
    #[schema(required = true)]
    code_sent_to: Option<CodeDelivery>,
}

/// Sign up
///
/// Creates a user. The pre-sign-up policy decides whether the user is confirmed immediately or by a code. An invitation
/// (`POST /v1/invitations`) is passed as `invitation` in `client_metadata` or `validation_data`. `attributes` can
/// contain only write attributes of the app client.
#[utoipa::path(
    post, path = "/v1/auth/sign-up", tag = "auth", operation_id = "sign_up",
    params(DeviceData),
    request_body = Body,
    responses((status = 201, description = "The user is created.", body = Answer)),
    extensions(("x-problems" = json!(["mail-quota-exceeded", "user-exists", "alias-exists", "invalid-password", "sign-up-refused"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    ClientInfo(context): ClientInfo,
    Json(body): Json<Body>,
) -> Result<(StatusCode, axum::Json<Answer>), ApiError> {
    let registration = body.registration(context);
    audit.fields(registration.attributes.keys());
    require_writable(&app, &registration.attributes).await?;
    let registered = app.sessions.sign_up(&registration).await?;
    audit.on(&registration.username);
    let answer = Answer { sub: registered.sub, confirmed: registered.confirmed, code_sent_to: registered.code_sent_to };
    Ok((StatusCode::CREATED, axum::Json(answer)))
}

#[cfg(test)]
mod tests {
    use domain::invitation::MAX_TOKEN_BYTES;
    use domain::user_pool::error::Reason;
    use domain::user_pool::sessions::ClientContext;
    use domain::user_pool::user::UserStatus;
    use serde_json::{Value, json};
    use testkit::logs::Logs;

    use super::Body;
    use crate::testing::{Api, Call};

    const PATH: &str = "/v1/auth/sign-up";

    fn body() -> Value {
        json!({"username": "new", "password": "Correct-1", "attributes": {"email": "new@example.com"}})
    }

    #[tokio::test]
    async fn rejects_attributes_that_are_not_write_attributes() {
        for name in ["custom:role", "custom:poolkeeper_created", "email_verified"] {
            for list in [None, Some(["email", "custom:poolkeeper_created"])] {
                let api = Api::new();
                if let Some(names) = list {
                    api.pool.limit_write_attributes(&names);
                }
                let mut body = body();
                body["attributes"][name] = json!("Canary");
                let answer = api.call(Call::post(PATH, Some(&body)).anonymous()).await;
                assert_eq!((answer.status, &answer.body["field"]), (400, &json!(format!("attributes.{name}"))));
                assert!(!answer.body.to_string().contains("Canary"), "{}", answer.body);
                assert_eq!(api.pool.user("new"), None);
                assert!(!api.pool.calls().contains(&"sign_up"), "{name}");
            }
        }
    }

    #[tokio::test]
    async fn a_new_user_is_confirmed_immediately_or_by_a_code() {
        for (confirmed, status) in [(false, UserStatus::Unconfirmed), (true, UserStatus::Confirmed)] {
            let api = Api::new();
            api.pool.auto_confirm(confirmed);
            let answer = api.call(Call::post(PATH, Some(&body())).anonymous()).await;
            assert_eq!((answer.status, &answer.body["confirmed"]), (201, &json!(confirmed)));
            assert_eq!(answer.body["sub"], json!(api.sub_of("new")));
            assert_eq!(answer.body["code_sent_to"].is_object(), !confirmed);
            assert_eq!(api.pool.user("new").unwrap().status, status);
            assert_eq!(api.pool.attributes_of("new")["email"], "new@example.com");
        }
    }

    #[test]
    fn both_fields_pass_invitations_of_the_maximum_length() {
        let (one, other) = ("i".repeat(MAX_TOKEN_BYTES), "j".repeat(MAX_TOKEN_BYTES));
        let mut body = body();
        body["client_metadata"] = json!({"invitation": one, "campaign": "spring"});
        body["validation_data"] = json!({"invitation": other});
        let body: Body = serde_json::from_value(body).unwrap();
        let registration = body.registration(ClientContext::default());
        let facts = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        assert_eq!(registration.client_metadata, facts(&[("invitation", &one), ("campaign", "spring")]));
        assert_eq!(registration.validation_data, facts(&[("invitation", &other)]));
        assert_eq!(
            registration.attributes,
            facts(&[("email", "new@example.com")]),
            "invitations do not become attributes"
        );
    }

    #[tokio::test]
    async fn rejects_an_existing_user_name() {
        let api = Api::new();
        assert_eq!(api.call(Call::post(PATH, Some(&body())).anonymous()).await.status, 201);
        let again = api.call(Call::post(PATH, Some(&body())).anonymous()).await;
        assert_eq!((again.status, again.code()), (409, "user-exists"));
    }

    #[tokio::test]
    async fn rejected_sign_ups_and_weak_passwords_create_no_user() {
        let api = Api::new();
        let weak = json!({"username": "new", "password": "weak"});
        let answer = api.call(Call::post(PATH, Some(&weak)).anonymous()).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid-password"));

        api.pool.refuse_sign_ups();
        let answer = api.call(Call::post(PATH, Some(&body())).anonymous()).await;
        assert_eq!((answer.status, answer.code()), (422, "sign-up-refused"));
        assert_eq!(api.pool.user("new"), None);
    }

    #[tokio::test]
    async fn an_exceeded_mail_quota_is_logged_as_an_error_that_names_ses() {
        let api = Api::new();
        api.pool.fail("sign_up", 1, Reason::MailQuotaExceeded);
        let logs = Logs::capture();
        api.call(Call::post(PATH, Some(&body())).anonymous()).await;
        let lines = logs.lines();
        let failure = lines.iter().find(|line| line["fields"]["code"] == "mail-quota-exceeded").unwrap();
        assert_eq!(failure["level"], "ERROR");
        assert!(failure["fields"]["error"].as_str().unwrap().contains("Amazon SES configuration"), "{failure}");
    }

    #[tokio::test]
    async fn malformed_facts_for_the_trigger_are_rejected_with_the_field() {
        let api = Api::new();
        for (body, field) in [
            (json!({"username": "new", "password": "Correct-1", "validation_data": {"a": 1}}), "validation_data.a"),
            (
                json!({"username": "new", "password": "Correct-1", "validation_data": {"a": "x".repeat(2049)}}),
                "validation_data.a",
            ),
            (json!({"username": "new", "password": "Correct-1", "client_metadata": {"a": null}}), "client_metadata.a"),
        ] {
            let answer = api.call(Call::post(PATH, Some(&body)).anonymous()).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)), "{body}");
        }
        assert_eq!(api.pool.calls(), Vec::<&str>::new());
    }
}
