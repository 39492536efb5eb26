//! The settings: which variables there are, and the policy that they make.

use domain::sign_up::{AutoConfirm, Policy};
use startup::SettingError;

/// Reads the policy. To add a rule: its variable here, its default, and a line in the table of the README.
///
/// # Errors
/// Where a value is none that the variable takes.
pub fn policy(lookup: impl Fn(&str) -> Option<String>) -> Result<Policy, SettingError> {
    let auto_confirm = startup::parsed(&lookup, "AUTO_CONFIRM", "`everyone` or `nobody`")?;
    Ok(Policy { auto_confirm: auto_confirm.unwrap_or(AutoConfirm::Everyone) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_with(auto_confirm: Option<&str>) -> Result<AutoConfirm, String> {
        policy(|variable| (variable == "AUTO_CONFIRM").then_some(auto_confirm?.to_owned()))
            .map(|policy| policy.auto_confirm)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn everyone_is_confirmed_unless_the_settings_say_nobody() {
        assert_eq!(policy_with(None), Ok(AutoConfirm::Everyone));
        assert_eq!(policy_with(Some("")), Ok(AutoConfirm::Everyone));
        assert_eq!(policy_with(Some("everyone")), Ok(AutoConfirm::Everyone));
        assert_eq!(policy_with(Some("nobody")), Ok(AutoConfirm::Nobody));
    }

    #[test]
    fn a_wrong_value_is_refused_with_the_variable_and_what_it_takes() {
        for wrong in ["Nobody", "nobody ", " ", "false"] {
            let expected = "the setting AUTO_CONFIRM has a wrong value: expected `everyone` or `nobody`";
            assert_eq!(policy_with(Some(wrong)), Err(expected.to_owned()), "{wrong:?}");
        }
    }
}
