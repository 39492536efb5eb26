//! User filters.

use domain::user_pool::directory::{Comparison, Filter, FilterBy};

use super::record::Record;

pub(super) fn meets(filter: &Filter, record: &Record) -> bool {
    let attribute = |name| record.attributes.get(name).map(String::as_str);
    let value = match filter.by {
        FilterBy::Username => Some(record.username.as_str()),
        FilterBy::Email => attribute("email"),
        FilterBy::PhoneNumber => attribute("phone_number"),
        FilterBy::Name => attribute("name"),
        FilterBy::Status => Some(record.status.as_str()),
        FilterBy::Enabled => Some(if record.enabled { "Enabled" } else { "Disabled" }),
    };
    // Case is ignored, except in user names and statuses.
    let folds = matches!(filter.by, FilterBy::Email | FilterBy::PhoneNumber | FilterBy::Name);
    let fold = |text: &str| if folds { text.to_ascii_lowercase() } else { text.to_owned() };
    value.is_some_and(|value| match filter.comparison {
        Comparison::Equals => fold(value) == fold(&filter.value),
        Comparison::BeginsWith => fold(value).starts_with(&fold(&filter.value)),
    })
}

#[cfg(test)]
mod tests {
    use domain::user_pool::user::{Attributes, UserStatus};
    use time::OffsetDateTime;

    use super::*;

    #[test]
    fn filters_compare_their_value_exactly_or_by_prefix() {
        let attributes = [("email", "mia@example.com"), ("phone_number", "+15550100"), ("name", "Mia B")];
        let attributes: Attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let now = OffsetDateTime::UNIX_EPOCH;
        let username = "mia-1".parse().unwrap();
        let mia = Record::new(&username, "sub".to_owned(), UserStatus::ForceChangePassword, attributes, now);
        let table = [
            (FilterBy::Username, "mia-1", "mia"),
            (FilterBy::Email, "mia@example.com", "mia@"),
            (FilterBy::PhoneNumber, "+15550100", "+1555"),
            (FilterBy::Name, "Mia B", "Mia "),
            (FilterBy::Status, "FORCE_CHANGE_PASSWORD", "FORCE"),
            (FilterBy::Enabled, "Enabled", "En"),
        ];
        for (by, whole, beginning) in table {
            let met = |comparison, value: &str| meets(&Filter { by, comparison, value: value.to_owned() }, &mia);
            assert!(met(Comparison::Equals, whole) && met(Comparison::BeginsWith, whole), "{by:?}");
            assert!(met(Comparison::BeginsWith, beginning) && !met(Comparison::Equals, beginning), "{by:?}");
            assert!(!met(Comparison::BeginsWith, "else"), "{by:?}");
        }
    }
}
