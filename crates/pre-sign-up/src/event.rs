//! Reads the `PreSignUp` event and sets its response flags. Reads only the fields that the policy needs, and preserves
//! all others. Cognito adds fields and trigger sources over time, and sends null where its guide shows objects.

use aws_lambda_events::cognito::CognitoEventUserPoolsPreSignupTriggerSource as TriggerSource;
use domain::sign_up::{Grants, SelfSignUp, SignUp, TextField};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as UnknownTriggerSource;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::raw_object::Object;

/// A `PreSignUp` event.
#[derive(Debug)]
pub struct Event<'a>(Object<'a>);

impl<'a> Event<'a> {
    /// Parses an event.
    ///
    /// # Errors
    /// Returns [`Failure::UnreadableEvent`] if the text is not a JSON object.
    pub fn read(text: &'a RawValue) -> Result<Self, Failure> {
        serde_json::from_str(text.get()).map(Self).map_err(|_| Failure::UnreadableEvent)
    }

    /// Returns the kind of sign-up with the fields that the policy needs, or [`SignUp::Unknown`] for an unknown trigger
    /// source.
    #[must_use]
    pub fn sign_up(&self) -> SignUp {
        match self.0.get("triggerSource").and_then(trigger_source) {
            Some(TriggerSource::SignUp) => SignUp::SelfSignUp(self.self_sign_up()),
            Some(TriggerSource::AdminCreateUser) => SignUp::Administrator,
            Some(TriggerSource::ExternalProvider) => {
                SignUp::ExternalProvider { user_name: given(self.0.get("userName")) }
            }
            // A later version of the crate can add a source. It must not inherit the grants of another source.
            Some(_) | None => SignUp::Unknown,
        }
    }

    fn self_sign_up(&self) -> SelfSignUp {
        let request = Part::of(self.0.get("request"));
        let attributes = request.part("userAttributes");
        SelfSignUp {
            user_pool_id: given(self.0.get("userPoolId")),
            email: attributes.given("email"),
            phone_number: attributes.given("phone_number"),
            // Client libraries differ in which of the two fields they can send.
            invitation: match request.part("clientMetadata").given("invitation") {
                TextField::Absent => request.part("validationData").given("invitation"),
                given => given,
            },
        }
    }

    /// Returns the event with all three response flags as booleans and nothing else changed, or `None` if the event
    /// needs no change.
    ///
    /// With `grants`, exactly the granted flags are `true`. Without `grants`, boolean flags keep their value and other
    /// flags become `false`.
    ///
    /// # Errors
    /// Returns [`Failure::UnreadableEvent`] if `response`, which contains the flags, is neither an object nor null.
    pub fn with(mut self, grants: Option<Grants>) -> Result<Option<Box<RawValue>>, Failure> {
        let mut response = match Part::of(self.0.get("response")) {
            Part::Object(response) => response,
            Part::Absent => Object::default(),
            Part::Unreadable => return Err(Failure::UnreadableEvent),
        };
        let granted = grants.map(|it| [it.confirm, it.verify_email, it.verify_phone]);
        let mut is_changed = false;
        for (index, name) in ["autoConfirmUser", "autoVerifyEmail", "autoVerifyPhone"].into_iter().enumerate() {
            let value = granted.map_or_else(|| response.get(name) == Some("true"), |granted| granted[index]);
            let value = if value { "true" } else { "false" };
            if response.get(name).is_none() || response.all(name).any(|flag| flag != value) {
                response.set(name, value);
                is_changed = true;
            }
        }
        if !is_changed {
            return Ok(None);
        }
        let response = response.to_string();
        self.0.set("response", &response);
        RawValue::from_string(self.0.to_string()).map(Some).map_err(|_| Failure::UnreadableEvent)
    }
}

/// A part of the event that should be an object.
enum Part<'a> {
    /// Absent or null.
    Absent,
    /// Not an object.
    Unreadable,
    Object(Object<'a>),
}

impl<'a> Part<'a> {
    fn of(text: Option<&'a str>) -> Self {
        match text {
            None | Some("null") => Self::Absent,
            Some(text) => serde_json::from_str(text).map_or(Self::Unreadable, Self::Object),
        }
    }

    fn part(&self, name: &str) -> Part<'_> {
        match self {
            Self::Absent => Part::Absent,
            Self::Unreadable => Part::Unreadable,
            Self::Object(object) => Part::of(object.get(name)),
        }
    }

    fn given(&self, name: &str) -> TextField {
        match self {
            Self::Absent => TextField::Absent,
            Self::Unreadable => TextField::Unreadable,
            Self::Object(object) => given(object.get(name)),
        }
    }
}

fn given(text: Option<&str>) -> TextField {
    match text {
        None | Some("null") => TextField::Absent,
        Some(text) => serde_json::from_str(text).map_or(TextField::Unreadable, |text: String| text.into()),
    }
}

/// Parses a trigger source. It is read as a string first, because serde also accepts `{"PreSignUp_SignUp":null}` for an
/// enum.
fn trigger_source(text: &str) -> Option<TriggerSource> {
    let name: String = serde_json::from_str(text).ok()?;
    let name: serde::de::value::StringDeserializer<UnknownTriggerSource> = name.into_deserializer();
    TriggerSource::deserialize(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Grants = Grants { confirm: false, verify_email: false, verify_phone: false };
    const CONFIRMED: Grants = Grants { confirm: true, ..NOTHING };
    const EVERYTHING: Grants = Grants { confirm: true, verify_email: true, verify_phone: true };

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn sign_up(text: &str) -> SignUp {
        Event::read(&raw(text)).unwrap().sign_up()
    }

    fn with(grants: impl Into<Option<Grants>>, text: &str) -> Result<Option<String>, Failure> {
        let event = raw(text);
        Ok(Event::read(&event).unwrap().with(grants.into())?.map(|event| event.get().to_owned()))
    }

    fn text(text: &str) -> TextField {
        TextField::Text(text.to_owned())
    }

    #[test]
    fn accepts_only_exact_trigger_source_names() {
        let self_sign_up = SignUp::SelfSignUp(SelfSignUp::default());
        let table = [
            (r#"{"triggerSource":"PreSignUp_SignUp"}"#, self_sign_up.clone()),
            (r#"{"triggerSource":"PreSignUp_AdminCreateUser"}"#, SignUp::Administrator),
            (
                r#"{"triggerSource":"PreSignUp_ExternalProvider"}"#,
                SignUp::ExternalProvider { user_name: TextField::Absent },
            ),
            (r#"{"triggerSource":"PreSignUp_\u0053ignUp"}"#, self_sign_up),
            (
                r#"{"triggerSource":"PreSignUp_SignUp","triggerSource":"PreSignUp_AdminCreateUser"}"#,
                SignUp::Administrator,
            ),
            (r#"{"triggerSource":"PreSignUp_FromTheFuture"}"#, SignUp::Unknown),
            (r#"{"triggerSource":"presignup_signup"}"#, SignUp::Unknown),
            (r#"{"triggerSource":"PreSignUp_SignUp "}"#, SignUp::Unknown),
            (r#"{"triggerSource":""}"#, SignUp::Unknown),
            (r#"{"triggerSource":null}"#, SignUp::Unknown),
            (r#"{"triggerSource":["PreSignUp_SignUp"]}"#, SignUp::Unknown),
            (r#"{"triggerSource":{"PreSignUp_SignUp":null}}"#, SignUp::Unknown),
            (r#"{"triggerSource":"\ud800"}"#, SignUp::Unknown),
            (r#"{"request":{"triggerSource":"PreSignUp_SignUp"}}"#, SignUp::Unknown),
            ("{}", SignUp::Unknown),
        ];
        for (event, expected) in table {
            assert_eq!(sign_up(event), expected, "{event}");
        }
    }

    #[test]
    fn reads_self_sign_up_from_pool_attributes_and_metadata() {
        let event = r#"{"triggerSource":"PreSignUp_SignUp","userPoolId":"eu-west-1_a","userName":"mia","request":{
            "userAttributes":{"email":"mia@example.com","phone_number":"\u002b15555550100","invitation":"no"},
            "validationData":{"invitation":"second"},"clientMetadata":{"invitation":"first","email":"no"}}}"#;
        let expected = SelfSignUp {
            user_pool_id: text("eu-west-1_a"),
            email: text("mia@example.com"),
            phone_number: text("+15555550100"),
            invitation: text("first"),
        };
        assert_eq!(sign_up(event), SignUp::SelfSignUp(expected));
    }

    #[test]
    fn treats_null_and_empty_as_absent_and_non_strings_as_unreadable() {
        let table = [
            ("{}", TextField::Absent),
            (r#"{"request":null}"#, TextField::Absent),
            (r#"{"request":{}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":null}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":{}}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":{"Email":"a"}}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":{"email":null}}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":{"email":""}}}"#, TextField::Absent),
            (r#"{"request":{"userAttributes":{"email":"a"}}}"#, text("a")),
            (r#"{"request":{"userAttributes":{"email":"b","email":"a"}}}"#, text("a")),
            (r#"{"request":{"userAttributes":{"\u0065mail":"a"}}}"#, text("a")),
            (r#"{"request":{"userAttributes":{"email":" "}}}"#, text(" ")),
            (r#"{"request":{"userAttributes":{"email":["a"]}}}"#, TextField::Unreadable),
            (r#"{"request":{"userAttributes":{"email":{"S":"a"}}}}"#, TextField::Unreadable),
            (r#"{"request":{"userAttributes":{"email":1}}}"#, TextField::Unreadable),
            (r#"{"request":{"userAttributes":{"email":true}}}"#, TextField::Unreadable),
            (r#"{"request":{"userAttributes":{"email":"\ud800"}}}"#, TextField::Unreadable),
            (r#"{"request":{"userAttributes":[]}}"#, TextField::Unreadable),
            (r#"{"request":"a"}"#, TextField::Unreadable),
        ];
        for (event, expected) in table {
            let event = event.replacen('{', r#"{"triggerSource":"PreSignUp_SignUp","#, 1).replace(",}", "}");
            let SignUp::SelfSignUp(self_sign_up) = sign_up(&event) else { panic!("{event}") };
            assert_eq!(self_sign_up.email, expected, "{event}");
        }
    }

    #[test]
    fn reads_invitation_from_client_metadata_or_validation_data() {
        let table = [
            (r#""clientMetadata":{"invitation":"a"}"#, text("a")),
            (r#""validationData":{"invitation":"a"}"#, text("a")),
            (r#""clientMetadata":{"invitation":""},"validationData":{"invitation":"a"}"#, text("a")),
            (r#""clientMetadata":null,"validationData":{"invitation":"a"}"#, text("a")),
            (r#""clientMetadata":{"invitation":"a"},"validationData":null"#, text("a")),
            (r#""clientMetadata":{"invitation":["a"]},"validationData":{"invitation":"a"}"#, TextField::Unreadable),
            (r#""clientMetadata":{"Invitation":"a"}"#, TextField::Absent),
            (r#""invitation":"a""#, TextField::Absent),
        ];
        for (request, expected) in table {
            let event = format!(r#"{{"triggerSource":"PreSignUp_SignUp","request":{{{request}}}}}"#);
            let SignUp::SelfSignUp(self_sign_up) = sign_up(&event) else { panic!("{event}") };
            assert_eq!(self_sign_up.invitation, expected, "{event}");
        }
    }

    #[test]
    fn reads_user_name_of_external_provider() {
        for (name, expected) in [
            (r#""Google_1""#, text("Google_1")),
            ("null", TextField::Absent),
            (r#""""#, TextField::Absent),
            (r#"["Google_1"]"#, TextField::Unreadable),
        ] {
            let event = format!(r#"{{"triggerSource":"PreSignUp_ExternalProvider","userName":{name}}}"#);
            assert_eq!(sign_up(&event), SignUp::ExternalProvider { user_name: expected }, "{name}");
        }
    }

    #[test]
    fn sets_granted_flags_and_changes_nothing_else() {
        let table = [
            (
                r#"{"response":{"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
            (
                r#"{"response":{"autoVerifyPhone":null,"autoVerifyEmail":true,"autoConfirmUser":null}}"#,
                r#"{"response":{"autoVerifyPhone":false,"autoVerifyEmail":false,"autoConfirmUser":true}}"#,
            ),
            (
                r#"{"response":{"new":[1.0],"autoVerifyPhone":"yes"},"version":"1"}"#,
                r#"{"response":{"new":[1.0],"autoVerifyPhone":false,"autoConfirmUser":true,"autoVerifyEmail":false},"version":"1"}"#,
            ),
            (
                r#"{"response":{}}"#,
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
            (
                r#"{"response":null}"#,
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
            (
                r#"{"a":1}"#,
                r#"{"a":1,"response":{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
        ];
        for (before, after) in table {
            assert_eq!(with(CONFIRMED, before), Ok(Some(after.to_owned())));
            assert_eq!(with(CONFIRMED, after), Ok(None), "{after}");
        }
        let all = r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":true,"autoVerifyPhone":true}}"#;
        assert_eq!(with(EVERYTHING, "{}"), Ok(Some(all.to_owned())));
    }

    #[test]
    fn keeps_booleans_without_grants_and_sets_other_flags_to_false() {
        let kept = r#"{ "response" : {"autoVerifyPhone":false,"autoConfirmUser":true,"autoVerifyEmail":false} }"#;
        assert_eq!(with(None, kept), Ok(None));
        let table = [
            ("{}", r#"{"response":{"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#),
            (
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":null,"autoVerifyPhone":"true"}}"#,
                r#"{"response":{"autoConfirmUser":true,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
            (
                r#"{"response":{"autoConfirmUser":true,"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
                r#"{"response":{"autoConfirmUser":false,"autoConfirmUser":false,"autoVerifyEmail":false,"autoVerifyPhone":false}}"#,
            ),
        ];
        for (before, after) in table {
            assert_eq!(with(None, before), Ok(Some(after.to_owned())));
        }
    }

    #[test]
    fn rejects_response_that_is_not_an_object() {
        for text in [r#"{"response":[]}"#, r#"{"response":"yes"}"#, r#"{"response":1}"#, r#"{"response":true}"#] {
            for grants in [Some(CONFIRMED), Some(NOTHING), None] {
                assert_eq!(with(grants, text), Err(Failure::UnreadableEvent), "{text}");
            }
        }
    }

    #[test]
    fn rejects_event_that_is_not_an_object() {
        for text in ["null", "[]", "17", "true", r#""PreSignUp_SignUp""#] {
            assert_eq!(Event::read(&raw(text)).unwrap_err(), Failure::UnreadableEvent, "{text}");
        }
    }
}
