//! Reads the sign-up policy from the settings.

use domain::invitation::PublicKey;
use domain::sign_up::{AutoConfirm, AutoVerifyEmail, AutoVerifyPhone, DomainList, Policy};
use startup::{SettingError, optional, parsed};

const AUTO_CONFIRM: &str = "AUTO_CONFIRM";
const TRUSTED_EMAIL_DOMAINS: &str = "TRUSTED_EMAIL_DOMAINS";
const AUTO_VERIFY_EMAIL: &str = "AUTO_VERIFY_EMAIL";
const AUTO_VERIFY_PHONE: &str = "AUTO_VERIFY_PHONE";
const ALLOWED_EMAIL_DOMAINS: &str = "ALLOWED_EMAIL_DOMAINS";
const DENIED_EMAIL_DOMAINS: &str = "DENIED_EMAIL_DOMAINS";
const INVITATION_PUBLIC_KEY: &str = "INVITATION_PUBLIC_KEY";
const EXTERNAL_PROVIDERS: &str = "EXTERNAL_PROVIDERS";

const A_DOMAIN_LIST: &str = "must be comma-separated domains, e.g. `example.com,*.example.org`";
const A_PUBLIC_KEY: &str = "must be an Ed25519 public key, as SPKI PEM or as the base64 of its 32 bytes";

/// Reads the policy.
///
/// # Errors
/// Returns an error if a value is invalid, even if no mode uses it, or if a setting that a mode needs is missing.
pub fn policy(lookup: impl Fn(&str) -> Option<String>) -> Result<Policy, SettingError> {
    let trusted = domains(&lookup, TRUSTED_EMAIL_DOMAINS)?;
    let key: Option<PublicKey> = parsed(&lookup, INVITATION_PUBLIC_KEY, A_PUBLIC_KEY)?;
    let providers = "must be `allow`, `refuse`, or comma-separated provider names, e.g. `Google,Okta`";
    let policy = Policy {
        auto_confirm: auto_confirm(&lookup, trusted, key.clone())?,
        auto_verify_email: auto_verify_email(&lookup, key)?,
        auto_verify_phone: parsed(&lookup, AUTO_VERIFY_PHONE, "must be `nobody` or `everyone`")?.unwrap_or_default(),
        allowed_email_domains: domains(&lookup, ALLOWED_EMAIL_DOMAINS)?.unwrap_or_default(),
        denied_email_domains: domains(&lookup, DENIED_EMAIL_DOMAINS)?.unwrap_or_default(),
        external_providers: parsed(&lookup, EXTERNAL_PROVIDERS, providers)?.unwrap_or_default(),
    };
    ensure_verification_is_possible(&policy)?;
    Ok(policy)
}

/// Cognito verifies only confirmed users, so settings that verify have no effect without confirmation.
fn ensure_verification_is_possible(policy: &Policy) -> Result<(), SettingError> {
    if policy.auto_confirm != AutoConfirm::Nobody {
        return Ok(());
    }
    let impossible = |variable| {
        let expectation = format!(
            "must be `nobody`, because {AUTO_CONFIRM} is `nobody` and only users confirmed at sign-up can be verified"
        );
        Err(SettingError::wrong(variable, expectation))
    };
    if policy.auto_verify_email != AutoVerifyEmail::Nobody {
        return impossible(AUTO_VERIFY_EMAIL);
    }
    if policy.auto_verify_phone != AutoVerifyPhone::Nobody {
        return impossible(AUTO_VERIFY_PHONE);
    }
    Ok(())
}

fn auto_confirm(
    lookup: impl Fn(&str) -> Option<String>,
    trusted: Option<DomainList>,
    key: Option<PublicKey>,
) -> Result<AutoConfirm, SettingError> {
    let mode = optional(lookup, AUTO_CONFIRM);
    if trusted.is_some() && mode.as_deref() != Some("trusted-domains") {
        tracing::warn!("{TRUSTED_EMAIL_DOMAINS} has no effect because {AUTO_CONFIRM} is not `trusted-domains`");
    }
    match mode.as_deref() {
        None | Some("everyone") => Ok(AutoConfirm::Everyone),
        Some("trusted-domains") => trusted
            .map(AutoConfirm::TrustedDomains)
            .ok_or_else(|| needed_by(AUTO_CONFIRM, "trusted-domains", TRUSTED_EMAIL_DOMAINS, A_DOMAIN_LIST)),
        Some("invited") => key
            .map(AutoConfirm::Invited)
            .ok_or_else(|| needed_by(AUTO_CONFIRM, "invited", INVITATION_PUBLIC_KEY, A_PUBLIC_KEY)),
        Some("nobody") => Ok(AutoConfirm::Nobody),
        Some(_) => {
            Err(SettingError::wrong(AUTO_CONFIRM, "must be `everyone`, `trusted-domains`, `invited` or `nobody`"))
        }
    }
}

fn auto_verify_email(
    lookup: impl Fn(&str) -> Option<String>,
    key: Option<PublicKey>,
) -> Result<AutoVerifyEmail, SettingError> {
    match optional(lookup, AUTO_VERIFY_EMAIL).as_deref() {
        None | Some("nobody") => Ok(AutoVerifyEmail::Nobody),
        Some("invited") => key
            .map(AutoVerifyEmail::Invited)
            .ok_or_else(|| needed_by(AUTO_VERIFY_EMAIL, "invited", INVITATION_PUBLIC_KEY, A_PUBLIC_KEY)),
        Some("everyone") => Ok(AutoVerifyEmail::Everyone),
        Some(_) => Err(SettingError::wrong(AUTO_VERIFY_EMAIL, "must be `nobody`, `invited` or `everyone`")),
    }
}

fn domains(
    lookup: impl Fn(&str) -> Option<String>,
    variable: &'static str,
) -> Result<Option<DomainList>, SettingError> {
    parsed(lookup, variable, A_DOMAIN_LIST)
}

fn needed_by(mode: &str, value: &str, variable: &'static str, expectation: &str) -> SettingError {
    SettingError::missing(variable, format!("{expectation}, because {mode} is `{value}`"))
}

#[cfg(test)]
mod tests {
    use domain::sign_up::ExternalProviders;

    use super::*;

    const KEY: &str = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    fn policy_with(settings: &[(&str, &str)]) -> Result<Policy, String> {
        let value = |variable: &str| Some(settings.iter().find(|(name, _)| *name == variable)?.1.to_owned());
        policy(value).map_err(|error| error.to_string())
    }

    #[test]
    fn confirms_everyone_and_verifies_nothing_by_default() {
        assert_eq!(policy_with(&[]), Ok(Policy::default()));
        let empty = [
            AUTO_CONFIRM,
            TRUSTED_EMAIL_DOMAINS,
            AUTO_VERIFY_EMAIL,
            AUTO_VERIFY_PHONE,
            ALLOWED_EMAIL_DOMAINS,
            DENIED_EMAIL_DOMAINS,
            INVITATION_PUBLIC_KEY,
            EXTERNAL_PROVIDERS,
        ];
        assert_eq!(policy_with(&empty.map(|variable| (variable, ""))), Ok(Policy::default()));
    }

    #[test]
    fn reads_every_value_of_every_setting() {
        let (key, domains): (PublicKey, DomainList) = (KEY.parse().unwrap(), "example.com".parse().unwrap());
        let default = Policy::default;
        for (settings, expected) in [
            (&[(AUTO_CONFIRM, "everyone")][..], default()),
            (&[(AUTO_CONFIRM, "nobody")], Policy { auto_confirm: AutoConfirm::Nobody, ..default() }),
            (
                &[(AUTO_CONFIRM, "trusted-domains"), (TRUSTED_EMAIL_DOMAINS, "example.com")],
                Policy { auto_confirm: AutoConfirm::TrustedDomains(domains.clone()), ..default() },
            ),
            (
                &[(AUTO_CONFIRM, "invited"), (INVITATION_PUBLIC_KEY, KEY)],
                Policy { auto_confirm: AutoConfirm::Invited(key.clone()), ..default() },
            ),
            (&[(INVITATION_PUBLIC_KEY, KEY)], default()),
            (&[(TRUSTED_EMAIL_DOMAINS, "example.com")], default()),
            (&[(AUTO_VERIFY_EMAIL, "nobody")], default()),
            (
                &[(AUTO_VERIFY_EMAIL, "invited"), (INVITATION_PUBLIC_KEY, KEY)],
                Policy { auto_verify_email: AutoVerifyEmail::Invited(key), ..default() },
            ),
            (&[(AUTO_VERIFY_EMAIL, "everyone")], Policy { auto_verify_email: AutoVerifyEmail::Everyone, ..default() }),
            (&[(AUTO_VERIFY_PHONE, "nobody")], default()),
            (&[(AUTO_VERIFY_PHONE, "everyone")], Policy { auto_verify_phone: AutoVerifyPhone::Everyone, ..default() }),
            (&[(ALLOWED_EMAIL_DOMAINS, "example.com")], Policy { allowed_email_domains: domains.clone(), ..default() }),
            (&[(DENIED_EMAIL_DOMAINS, "example.com")], Policy { denied_email_domains: domains, ..default() }),
            (&[(EXTERNAL_PROVIDERS, "allow")], default()),
            (&[(EXTERNAL_PROVIDERS, "refuse")], Policy { external_providers: ExternalProviders::Refuse, ..default() }),
            (
                &[(EXTERNAL_PROVIDERS, "Google,Okta")],
                Policy { external_providers: "Google,Okta".parse().unwrap(), ..default() },
            ),
        ] {
            assert_eq!(policy_with(settings), Ok(expected), "{settings:?}");
        }
    }

    #[test]
    fn rejects_invalid_value_with_variable_and_expectation() {
        let list = "comma-separated domains, e.g. `example.com,*.example.org`";
        let key = "an Ed25519 public key, as SPKI PEM or as the base64 of its 32 bytes";
        for (variable, wrong, expectation) in [
            (AUTO_CONFIRM, "Nobody", "`everyone`, `trusted-domains`, `invited` or `nobody`"),
            (AUTO_CONFIRM, "nobody ", "`everyone`, `trusted-domains`, `invited` or `nobody`"),
            (AUTO_CONFIRM, " ", "`everyone`, `trusted-domains`, `invited` or `nobody`"),
            (TRUSTED_EMAIL_DOMAINS, "@example.com", list),
            (ALLOWED_EMAIL_DOMAINS, "example.com,", list),
            (DENIED_EMAIL_DOMAINS, "*", list),
            (AUTO_VERIFY_EMAIL, "trusted-domains", "`nobody`, `invited` or `everyone`"),
            (AUTO_VERIFY_EMAIL, "true", "`nobody`, `invited` or `everyone`"),
            (AUTO_VERIFY_PHONE, "invited", "`nobody` or `everyone`"),
            (INVITATION_PUBLIC_KEY, "key", key),
            (
                EXTERNAL_PROVIDERS,
                "Google,,Okta",
                "`allow`, `refuse`, or comma-separated provider names, e.g. `Google,Okta`",
            ),
        ] {
            let expected = format!("the setting {variable} has an invalid value: must be {expectation}");
            assert_eq!(policy_with(&[(variable, wrong)]), Err(expected), "{wrong:?}");
        }
    }

    #[test]
    fn rejects_verification_that_can_never_happen_and_names_both_settings() {
        for (variable, value) in
            [(AUTO_VERIFY_EMAIL, "everyone"), (AUTO_VERIFY_EMAIL, "invited"), (AUTO_VERIFY_PHONE, "everyone")]
        {
            let settings = |auto_confirm| {
                let domains = (TRUSTED_EMAIL_DOMAINS, "example.com");
                [(AUTO_CONFIRM, auto_confirm), (variable, value), (INVITATION_PUBLIC_KEY, KEY), domains]
            };
            let expected = format!(
                "the setting {variable} has an invalid value: must be `nobody`, because AUTO_CONFIRM is `nobody` and \
                 only users confirmed at sign-up can be verified"
            );
            assert_eq!(policy_with(&settings("nobody")), Err(expected));
            for auto_confirm in ["everyone", "trusted-domains", "invited"] {
                assert!(policy_with(&settings(auto_confirm)).is_ok(), "{variable}={value} under {auto_confirm}");
            }
        }
    }

    #[test]
    fn rejects_mode_without_the_setting_that_it_needs() {
        for (mode, value, variable, what) in [
            (AUTO_CONFIRM, "trusted-domains", TRUSTED_EMAIL_DOMAINS, A_DOMAIN_LIST),
            (AUTO_CONFIRM, "invited", INVITATION_PUBLIC_KEY, A_PUBLIC_KEY),
            (AUTO_VERIFY_EMAIL, "invited", INVITATION_PUBLIC_KEY, A_PUBLIC_KEY),
        ] {
            let expected = format!("the setting {variable} is not set: {what}, because {mode} is `{value}`");
            assert_eq!(policy_with(&[(mode, value)]), Err(expected.clone()));
            assert_eq!(policy_with(&[(mode, value), (variable, "")]), Err(expected));
        }
    }
}
