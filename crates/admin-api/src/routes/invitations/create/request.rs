//! The request body.

use std::borrow::Cow;

use domain::invitation::{Invitee, MAX_VALIDITY};
use domain::sign_up::MAX_ADDRESS_BYTES;
use serde::Deserialize;
use serde_json::Number;
use thiserror::Error;
use time::Duration;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::json::integer;

/// The address to invite, and the validity of the invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateInvitation, example = json!({"email": "mia@example.com", "valid_for_hours": 168}))]
pub(crate) struct Body {
    pub(super) email: InvitedAddress,
    /// Validity of the invitation in hours, by default 7 days and at most 30 days.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 720, default = 168)]
    pub(super) valid_for_hours: Option<Validity>,
}

/// The address of the invited user.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct InvitedAddress(pub(super) Invitee);

/// The validity of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Number")]
pub(super) struct Validity(pub(super) Duration);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an e-mail address of at most {MAX_ADDRESS_BYTES} bytes, e.g. mia@example.com")]
pub(super) struct InvalidInvitedAddress;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a whole number of hours between 1 and {}", MAX_VALIDITY.whole_hours())]
pub(super) struct InvalidValidity;

impl TryFrom<String> for InvitedAddress {
    type Error = InvalidInvitedAddress;

    fn try_from(text: String) -> Result<Self, InvalidInvitedAddress> {
        text.try_into().map(Self).map_err(|_| InvalidInvitedAddress)
    }
}

impl TryFrom<Number> for Validity {
    type Error = InvalidValidity;

    fn try_from(hours: Number) -> Result<Self, InvalidValidity> {
        let duration = integer(&hours).map(|hours| Duration::hours(hours.into()));
        duration.filter(|duration| (Duration::HOUR..=MAX_VALIDITY).contains(duration)).map(Self).ok_or(InvalidValidity)
    }
}

/// Matches a subset of the accepted addresses. JSON Schema cannot express the rules for non-ASCII characters, `xn--`
/// labels, `=` and `?`.
const ASCII_ADDRESS: &str = concat!(
    r"^[A-Za-z0-9#$&'*+./^_`{|}~-]+@",
    r"((?![Xx][Nn]--)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*",
    r"(?![Xx][Nn]--)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
);

impl PartialSchema for InvitedAddress {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "The address of the invited user. The case of A–Z is ignored, and an international domain can be in Unicode or \
                 in its xn--… form. The pattern matches plain ASCII addresses; other unambiguous addresses are also accepted.",
            ))
            .min_length(Some("a@b".len()))
            .max_length(Some(MAX_ADDRESS_BYTES))
            .pattern(Some(ASCII_ADDRESS))
            .examples(["mia@example.com"])
            .into()
    }
}

impl ToSchema for InvitedAddress {
    fn name() -> Cow<'static, str> {
        "InvitedAddress".into()
    }
}

#[cfg(test)]
mod tests {
    use domain::invitation::DEFAULT_VALIDITY;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn accepts(text: &str) -> bool {
        match serde_json::from_value::<InvitedAddress>(json!(text)) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.to_string(), InvalidInvitedAddress.to_string());
                false
            }
        }
    }

    #[test]
    fn accepts_addresses_up_to_the_maximum_number_of_bytes() {
        let of_bytes = |bytes: usize, letter: &str| {
            let rest = bytes - "@example.com".len();
            format!("{}@example.com", letter.repeat(rest / letter.len()))
        };
        let (ascii, other) = (of_bytes(254, "x"), of_bytes(254, "ü"));
        for good in ["a@b", "Mia@Example.com", "mia@bücher.example", "mia@xn--bcher-kva.example", &ascii, &other] {
            assert!(accepts(good), "{good}");
        }
        let (ascii, other) = (of_bytes(255, "x"), of_bytes(256, "ü"));
        for bad in ["", "mia", "a@", "@b", "mia@example.com ", "mia@exa mple.com", "mia@xn--a.example", &ascii, &other]
        {
            assert!(!accepts(bad), "{bad}");
        }
    }

    #[test]
    fn accepts_whole_hours_up_to_the_maximum() {
        for (hours, expected) in [
            ("1", Some(1)),
            ("168", Some(168)),
            ("720", Some(720)),
            ("24.0", Some(24)),
            ("0", None),
            ("-1", None),
            ("721", None),
            ("1.5", None),
            ("4294967297", None),
            ("1e300", None),
            ("\"24\"", None),
        ] {
            let found = serde_json::from_str(hours).ok();
            assert_eq!(found, expected.map(|hours| Validity(Duration::hours(hours))), "{hours}");
        }
    }

    #[test]
    fn the_schema_has_the_limits_of_the_domain() {
        let schema = serde_json::to_value(Body::schema()).unwrap();
        let hours = &schema["properties"]["valid_for_hours"];
        let expected = [1, MAX_VALIDITY.whole_hours(), DEFAULT_VALIDITY.whole_hours()];
        assert_eq!(["minimum", "maximum", "default"].map(|keyword| hours[keyword].as_i64().unwrap()), expected);
        let email = serde_json::to_value(InvitedAddress::schema()).unwrap();
        assert_eq!(email["maxLength"], MAX_ADDRESS_BYTES);
    }

    proptest! {
        /// Repeats the schema's pattern in a syntax that `proptest` supports.
        #[test]
        fn accepts_every_address_that_matches_the_pattern(
            local_part in r"[A-Za-z0-9#$&'*+./^_`{|}~-]{1,64}",
            labels in prop::collection::vec("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", 1..=4),
        ) {
            let domain = labels.join(".");
            prop_assume!(labels.iter().all(|label| !label.to_ascii_lowercase().starts_with("xn--")));
            let address = format!("{local_part}@{domain}");
            prop_assert_eq!(accepts(&address), address.len() <= MAX_ADDRESS_BYTES, "{}", address);
        }
    }
}
