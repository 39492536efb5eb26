//! Filter expressions of `ListUsers`.

use domain::user_pool::directory::{Comparison, Filter, FilterBy};

/// Returns the filter expression, e.g. `email ^= "mia"`.
pub(super) fn expression(filter: &Filter) -> String {
    let attribute = match filter.by {
        FilterBy::Username => "username",
        FilterBy::Email => "email",
        FilterBy::PhoneNumber => "phone_number",
        FilterBy::Name => "name",
        FilterBy::Status => "cognito:user_status",
        FilterBy::Enabled => "status",
    };
    let comparison = match filter.comparison {
        Comparison::Equals => "=",
        Comparison::BeginsWith => "^=",
    };
    format!("{attribute} {comparison} {}", quoted(&filter.value))
}

/// Quotes a value, and escapes quotes and backslashes in it.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Parses a quoted value like Cognito. Returns `None` if the closing quote is missing or not at the end.
    fn unquoted(text: &str) -> Option<String> {
        let mut letters = text.strip_prefix('"')?.chars();
        let mut value = String::new();
        loop {
            match letters.next()? {
                '"' => return letters.as_str().is_empty().then_some(value),
                '\\' => value.push(letters.next()?),
                letter => value.push(letter),
            }
        }
    }

    #[test]
    fn attributes_and_comparisons_are_spelt_as_cognito_spells_them() {
        let table = [
            (FilterBy::Username, Comparison::Equals, "mia", r#"username = "mia""#),
            (FilterBy::Email, Comparison::BeginsWith, "mia@", r#"email ^= "mia@""#),
            (FilterBy::PhoneNumber, Comparison::BeginsWith, "+1555", r#"phone_number ^= "+1555""#),
            (FilterBy::Name, Comparison::Equals, "Mia \"M\" Müller", r#"name = "Mia \"M\" Müller""#),
            (FilterBy::Status, Comparison::Equals, "CONFIRMED", r#"cognito:user_status = "CONFIRMED""#),
            (FilterBy::Enabled, Comparison::Equals, "Disabled", r#"status = "Disabled""#),
            (FilterBy::Name, Comparison::Equals, "a\\b\n日本", "name = \"a\\\\b\n日本\""),
            (FilterBy::Email, Comparison::Equals, "\" or status = \"", r#"email = "\" or status = \"""#),
            (FilterBy::Email, Comparison::Equals, "\\", r#"email = "\\""#),
        ];
        for (by, comparison, value, expected) in table {
            let filter = Filter { by, comparison, value: value.to_owned() };
            assert_eq!(expression(&filter), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_ends_its_own_quotes(value in any::<String>()) {
            prop_assert_eq!(unquoted(&quoted(&value)), Some(value));
        }
    }
}
