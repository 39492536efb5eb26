//! Whom a filter meets.

use domain::directory::{Comparison, Filter, FilterBy};
use domain::user::UserStatus;

use super::record::Record;

pub(super) fn meets(filter: &Filter, record: &Record) -> bool {
    let attribute = |name| record.attributes.get(name).map(String::as_str);
    let value = match filter.by {
        FilterBy::Username => Some(record.username.as_str()),
        FilterBy::Email => attribute("email"),
        FilterBy::PhoneNumber => attribute("phone_number"),
        FilterBy::Name => attribute("name"),
        FilterBy::Status => Some(word(&record.status)),
        FilterBy::Enabled => Some(if record.enabled { "Enabled" } else { "Disabled" }),
    };
    value.is_some_and(|value| match filter.comparison {
        Comparison::Equals => value == filter.value,
        Comparison::BeginsWith => value.starts_with(&filter.value),
    })
}

/// Cognito's word.
fn word(status: &UserStatus) -> &str {
    match status {
        UserStatus::Unconfirmed => "UNCONFIRMED",
        UserStatus::Confirmed => "CONFIRMED",
        UserStatus::ExternalProvider => "EXTERNAL_PROVIDER",
        UserStatus::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        UserStatus::ResetRequired => "RESET_REQUIRED",
        UserStatus::Unknown => "UNKNOWN",
        UserStatus::Other(word) => word,
    }
}
