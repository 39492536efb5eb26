//! The event, seen through as narrow a window as the decision allows: the trigger source is read, one flag is set, and all the
//! rest goes back as it came. Cognito adds fields and sources over time, and sends nulls where its guide shows objects, so
//! nothing else is looked at, let alone required. Another version of the event touches this file only.

use aws_lambda_events::cognito::CognitoEventUserPoolsPreSignupTriggerSource as TriggerSource;
use domain::sign_up::Source;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as UnknownTriggerSource;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::object::Object;

/// A `PreSignUp` event.
#[derive(Debug)]
pub struct Event<'a>(Object<'a>);

impl<'a> Event<'a> {
    /// Takes an event apart.
    ///
    /// # Errors
    /// [`Failure::UnreadableEvent`] where it is no JSON object.
    pub fn read(text: &'a RawValue) -> Result<Self, Failure> {
        serde_json::from_str(text.get()).map(Self).map_err(|_| Failure::UnreadableEvent)
    }

    /// How the user comes into the pool; unknown where the event does not say it in words that we know.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.0.get("triggerSource").and_then(trigger_source) {
            Some(TriggerSource::SignUp) => Source::SelfSignUp,
            Some(TriggerSource::AdminCreateUser) => Source::Administrator,
            Some(TriggerSource::ExternalProvider) => Source::ExternalProvider,
            // The enum may grow in a later version of its crate; what is granted to a new source must be decided, not inherited.
            Some(_) | None => Source::Unknown,
        }
    }

    /// The event with `autoConfirmUser` set, and nothing else changed.
    ///
    /// # Errors
    /// [`Failure::UnreadableEvent`] where `response`, which holds the flags, is there and is neither an object nor null.
    pub fn confirmed(mut self) -> Result<Box<RawValue>, Failure> {
        let flags = match self.0.get("response") {
            None | Some("null") => Object::default(),
            Some(flags) => serde_json::from_str(flags).map_err(|_| Failure::UnreadableEvent)?,
        };
        let flags = with_auto_confirm(flags);
        self.0.set("response", flags);
        RawValue::from_string(self.0.to_string()).map_err(|_| Failure::UnreadableEvent)
    }
}

fn with_auto_confirm(mut flags: Object<'_>) -> String {
    flags.set("autoConfirmUser", "true".to_owned());
    flags.to_string()
}

/// The source by Cognito's name for it. Read as a string first, because serde takes `{"PreSignUp_SignUp":null}` for an enum too.
fn trigger_source(text: &str) -> Option<TriggerSource> {
    let name: String = serde_json::from_str(text).ok()?;
    let name: serde::de::value::StringDeserializer<UnknownTriggerSource> = name.into_deserializer();
    TriggerSource::deserialize(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn the_source_is_known_by_cognitos_exact_name_only() {
        let table = [
            (r#"{"triggerSource":"PreSignUp_SignUp"}"#, Source::SelfSignUp),
            (r#"{"triggerSource":"PreSignUp_AdminCreateUser"}"#, Source::Administrator),
            (r#"{"triggerSource":"PreSignUp_ExternalProvider"}"#, Source::ExternalProvider),
            (r#"{"triggerSource":"PreSignUp_\u0053ignUp"}"#, Source::SelfSignUp),
            (
                r#"{"triggerSource":"PreSignUp_SignUp","triggerSource":"PreSignUp_AdminCreateUser"}"#,
                Source::Administrator,
            ),
            (r#"{"triggerSource":"PreSignUp_FromTheFuture"}"#, Source::Unknown),
            (r#"{"triggerSource":"presignup_signup"}"#, Source::Unknown),
            (r#"{"triggerSource":"PreSignUp_SignUp "}"#, Source::Unknown),
            (r#"{"triggerSource":""}"#, Source::Unknown),
            (r#"{"triggerSource":null}"#, Source::Unknown),
            (r#"{"triggerSource":["PreSignUp_SignUp"]}"#, Source::Unknown),
            (r#"{"triggerSource":{"PreSignUp_SignUp":null}}"#, Source::Unknown),
            (r#"{"triggerSource":"\ud800"}"#, Source::Unknown),
            (r#"{"request":{"triggerSource":"PreSignUp_SignUp"}}"#, Source::Unknown),
            ("{}", Source::Unknown),
        ];
        for (text, expected) in table {
            assert_eq!(Event::read(&raw(text)).unwrap().source(), expected, "{text}");
        }
    }

    #[test]
    fn confirming_sets_one_flag_and_changes_nothing_else() {
        let table = [
            (
                r#"{"response":{"autoConfirmUser":false,"autoVerifyEmail":false}}"#,
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":false}}"#,
            ),
            (
                r#"{"response":{"autoVerifyEmail":null,"autoConfirmUser":null}}"#,
                r#"{"response":{"autoVerifyEmail":null,"autoConfirmUser":true}}"#,
            ),
            (
                r#"{"response":{"new":[1.0]},"version":"1"}"#,
                r#"{"response":{"new":[1.0],"autoConfirmUser":true},"version":"1"}"#,
            ),
            (r#"{"response":{}}"#, r#"{"response":{"autoConfirmUser":true}}"#),
            (r#"{"response":null}"#, r#"{"response":{"autoConfirmUser":true}}"#),
            (r#"{"a":1}"#, r#"{"a":1,"response":{"autoConfirmUser":true}}"#),
        ];
        for (before, after) in table {
            assert_eq!(Event::read(&raw(before)).unwrap().confirmed().unwrap().get(), after);
        }
    }

    #[test]
    fn a_response_that_cannot_hold_flags_is_unreadable() {
        for text in [r#"{"response":[]}"#, r#"{"response":"yes"}"#, r#"{"response":1}"#, r#"{"response":true}"#] {
            assert_eq!(Event::read(&raw(text)).unwrap().confirmed().unwrap_err(), Failure::UnreadableEvent, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_no_event() {
        for text in ["null", "[]", "17", "true", r#""PreSignUp_SignUp""#] {
            assert_eq!(Event::read(&raw(text)).unwrap_err(), Failure::UnreadableEvent, "{text}");
        }
    }
}
