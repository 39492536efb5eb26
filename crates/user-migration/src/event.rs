//! Reads the `UserMigration` event and sets its response. Reads only the needed fields, and keeps all others, because Cognito
//! adds fields over time.

use aws_lambda_events::cognito::CognitoEventUserPoolsMigrateUserTriggerSource as TriggerSource;
use domain::migration::{Flow, Migration};
use domain::secret::Secret;
use domain::user_pool::user::Username;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// The value of `messageAction` without which Cognito sends a message with a temporary password
/// ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-migrate-user.html)).
const NO_MESSAGE: &str = "SUPPRESS";

/// The request of a user without an account. Has no `Debug`, because it is personal data.
pub(crate) struct Request {
    /// The pool that invokes the trigger.
    pub(crate) user_pool_id: String,
    /// The entered name. `None` for a text that cannot be a user name.
    pub(crate) name: Option<Username>,
    /// The entered password. `None` if the user requests a new one.
    pub(crate) password: Option<Secret>,
}

impl Request {
    /// Reads the request.
    ///
    /// # Errors
    /// Returns [`Failure::UnreadableEvent`] for an unknown trigger source, and if a field is missing.
    pub(crate) fn read(event: &Value) -> Result<Self, Failure> {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let unreadable = || Failure::UnreadableEvent;
        let password = match trigger_source(&event["triggerSource"]) {
            Some(TriggerSource::Authentication) => {
                Some(Secret::new(text(&event["request"]["password"]).ok_or_else(unreadable)?))
            }
            Some(TriggerSource::ForgotPassword) => None,
            // A later version of the crate can add a source. It must not inherit the checks of another source.
            Some(_) | None => return Err(Failure::UnreadableEvent),
        };
        Ok(Self {
            user_pool_id: text(&event["userPoolId"]).ok_or_else(unreadable)?,
            name: text(&event["userName"]).ok_or_else(unreadable)?.parse().ok(),
            password,
        })
    }

    /// What the user does.
    pub(crate) fn flow(&self) -> Flow {
        if self.password.is_some() { Flow::SignIn } else { Flow::ForgotPassword }
    }
}

/// Parses a trigger source. Only a string is one, but serde also accepts `{"UserMigration_Authentication": null}`.
fn trigger_source(value: &Value) -> Option<TriggerSource> {
    TriggerSource::deserialize(value.as_str().map(Value::from)?).ok()
}

/// Returns the event with the response that creates the user, or with an empty response, for which Cognito behaves as for
/// an unknown user ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html)).
pub(crate) fn answered(mut event: Value, migration: Option<&Migration>) -> Value {
    event["response"] = migration.map_or_else(|| Value::Object(Map::new()), response);
    event
}

/// `forceAliasCreation` is false. Otherwise Cognito would take an alias from its current owner.
fn response(migration: &Migration) -> Value {
    json!({
        "userAttributes": migration.attributes,
        "finalUserStatus": migration.status.as_str(),
        "messageAction": NO_MESSAGE,
        "forceAliasCreation": false,
    })
}
