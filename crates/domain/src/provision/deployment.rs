//! The stack that owns a user pool, and its sign-up policy. Both are recorded in tags of the pool.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use strum::IntoStaticStr;

use super::error::ProvisionError;
use super::field_difference::Difference;
use crate::platform::UserPool;
use crate::spec::{Alias, MfaMode, Spec, SpecError};

/// The tag key for the id of the stack that owns a pool. No stack owns a pool without this tag.
pub const STACK_TAG: &str = "poolkeeper:stack";

/// The stack for which an action runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The id of the stack.
    pub stack_id: String,
    /// The sign-up policy of the deployment. `None` for a deletion.
    pub sign_up_policy: Option<SignUpPolicy>,
    /// Whether the operator confirms a wider policy than the recorded one of an adopted pool.
    pub confirms_wider_sign_up: bool,
}

impl Deployment {
    /// Whether this stack owns the pool.
    pub(super) fn owns(&self, pool: &UserPool) -> bool {
        pool.tags.get(STACK_TAG) == Some(&self.stack_id)
    }

    /// The tags of a pool that this stack owns.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let owner = (STACK_TAG.to_owned(), self.stack_id.clone());
        let policy = self.sign_up_policy.iter().flat_map(SignUpPolicy::settings);
        policy.map(|setting| (setting.tag.to_owned(), setting.value)).chain([owner]).collect()
    }

    /// Rejects the adoption of a pool with a policy that is wider than the recorded one.
    ///
    /// # Errors
    ///
    /// Returns [`ProvisionError::WiderSignUp`] if the policy is wider and not confirmed.
    pub(super) fn check_adoption(&self, spec: &Spec, pool: &UserPool) -> Result<(), ProvisionError> {
        let Some(policy) = &self.sign_up_policy else { return Ok(()) };
        if self.owns(pool) || self.confirms_wider_sign_up {
            return Ok(());
        }
        let widened = policy.widened(spec, pool);
        if widened.is_empty() {
            return Ok(());
        }
        Err(ProvisionError::WiderSignUp { user_pool_id: pool.id.clone(), changes: widened })
    }
}

/// The sign-up policy of a deployment, with the names of the template parameters. `SelfSignUp` is in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SignUpPolicy {
    /// The users that are confirmed at sign-up.
    pub auto_confirm: Confirmed,
    /// The users whose e-mail address is marked as verified at sign-up.
    #[serde(default)]
    pub auto_verify_email: Verified,
    /// The users whose phone number is marked as verified at sign-up.
    #[serde(default)]
    pub auto_verify_phone: Verified,
    /// The allowed external providers.
    #[serde(default = "all_providers")]
    pub external_providers: String,
    /// The e-mail domains that can sign up.
    #[serde(default)]
    pub allowed_email_domains: String,
    /// The e-mail domains that cannot sign up.
    #[serde(default)]
    pub denied_email_domains: String,
    /// The e-mail domains whose users are confirmed with `AutoConfirm=trusted-domains`.
    #[serde(default)]
    pub trusted_email_domains: String,
}

fn all_providers() -> String {
    "allow".to_owned()
}

/// A value of `AutoConfirm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Confirmed {
    /// No user.
    Nobody,
    /// Users with an invitation.
    Invited,
    /// Users with an address of a trusted domain.
    TrustedDomains,
    /// Every user.
    Everyone,
}

/// A value of `AutoVerifyEmail` or `AutoVerifyPhone`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verified {
    /// No user.
    #[default]
    Nobody,
    /// Users with an invitation.
    Invited,
    /// Every user.
    Everyone,
}

/// One setting of a policy, with its narrowest and widest value.
struct Setting {
    parameter: &'static str,
    tag: &'static str,
    value: String,
    narrowest: Option<&'static str>,
    widest: Option<&'static str>,
}

impl Setting {
    /// Whether the value may admit users that the previous value rejected. A value that cannot be compared with the
    /// previous one counts as wider. If the previous value is unknown, every value except the narrowest counts as
    /// wider.
    fn widens(&self, before: Option<&str>) -> bool {
        let is_same = before == Some(self.value.as_str());
        let was_widest = self.widest.is_some() && before == self.widest;
        !is_same && !was_widest && self.narrowest != Some(self.value.as_str())
    }
}

impl SignUpPolicy {
    fn settings(&self) -> Vec<Setting> {
        let of_users = |parameter, tag, value: &str| Setting {
            parameter,
            tag,
            value: value.to_owned(),
            narrowest: Some("nobody"),
            widest: Some("everyone"),
        };
        let of_list =
            |parameter, tag, list: &str| Setting { parameter, tag, value: digest(list), narrowest: None, widest: None };
        let providers = match self.external_providers.as_str() {
            word @ ("allow" | "refuse") => word.to_owned(),
            names => digest(names),
        };
        vec![
            of_users("AutoConfirm", "poolkeeper:auto-confirm", self.auto_confirm.into()),
            of_users("AutoVerifyEmail", "poolkeeper:auto-verify-email", self.auto_verify_email.into()),
            of_users("AutoVerifyPhone", "poolkeeper:auto-verify-phone", self.auto_verify_phone.into()),
            Setting {
                parameter: "ExternalProviders",
                tag: "poolkeeper:external-providers",
                value: providers,
                narrowest: Some("refuse"),
                widest: Some("allow"),
            },
            of_list("AllowedEmailDomains", "poolkeeper:allowed-email-domains", &self.allowed_email_domains),
            of_list("DeniedEmailDomains", "poolkeeper:denied-email-domains", &self.denied_email_domains),
            of_list("TrustedEmailDomains", "poolkeeper:trusted-email-domains", &self.trusted_email_domains),
        ]
    }

    /// The settings that admit users whom the pool rejected until now, or that weaken MFA.
    fn widened(&self, spec: &Spec, pool: &UserPool) -> Vec<Difference> {
        let opened = (spec.self_sign_up && !pool.state.self_sign_up).then(|| Difference {
            field: "SelfSignUp".to_owned(),
            current: false.into(),
            wanted: true.into(),
        });
        let difference = |setting: Setting| {
            let before = pool.tags.get(setting.tag).map(String::as_str);
            setting.widens(before).then(|| Difference {
                field: setting.parameter.to_owned(),
                current: before.unwrap_or("unknown").into(),
                wanted: setting.value.into(),
            })
        };
        let weakened = (strength(spec.mfa) < strength(pool.state.mfa)).then(|| Difference {
            field: "Mfa".to_owned(),
            current: json!(pool.state.mfa),
            wanted: json!(spec.mfa),
        });
        opened.into_iter().chain(weakened).chain(self.settings().into_iter().filter_map(difference)).collect()
    }

    /// Rejects a policy with which a sign-up can take over the alias of another user, because Cognito moves an alias to
    /// the account that verified it last.
    ///
    /// # Errors
    ///
    /// Returns an error that names the alias that would be verified without proof of ownership.
    pub fn check_aliases(&self, spec: &Spec) -> Result<(), SpecError> {
        let unproved = [
            (Alias::Email, self.auto_verify_email, "email", "AutoVerifyEmail"),
            (Alias::PhoneNumber, self.auto_verify_phone, "phone_number", "AutoVerifyPhone"),
        ];
        for (alias, verified, name, parameter) in unproved {
            if verified == Verified::Everyone && spec.aliases.contains(&alias) {
                let problem = format!(
                    "with the alias `{name}`, {parameter} must not be `everyone`, because a sign-up could take over the \
                     alias of another user"
                );
                return Err(SpecError { field: "aliases", problem });
            }
        }
        Ok(())
    }
}

/// The strength of an MFA mode.
fn strength(mfa: MfaMode) -> u8 {
    match mfa {
        MfaMode::Off => 0,
        // A pool `WithoutTotp` may or may not require a second factor.
        MfaMode::Optional | MfaMode::WithoutTotp => 1,
        MfaMode::Required => 2,
    }
}

/// The hash of a list for a tag, regardless of order, case and spaces. A tag value is too short for a list and cannot
/// contain `*`.
fn digest(list: &str) -> String {
    let mut entries: Vec<String> = list.split(',').map(|entry| entry.trim().to_lowercase()).collect();
    entries.retain(|entry| !entry.is_empty());
    if entries.is_empty() {
        return "none".to_owned();
    }
    entries.sort_unstable();
    entries.dedup();
    format!("sha256:{}", short_hash(&entries.join(",")))
}

/// The first half of a SHA-256 hash, as 32 hexadecimal digits.
pub(super) fn short_hash(text: &str) -> String {
    let hash = Sha256::digest(text);
    let digits = hash.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(settings: Value) -> SignUpPolicy {
        serde_json::from_value(settings).unwrap()
    }

    fn widened(before: Value, after: Value) -> Vec<&'static str> {
        let before: BTreeMap<_, _> =
            policy(before).settings().into_iter().map(|setting| (setting.tag, setting.value)).collect();
        let settings = policy(after).settings().into_iter();
        let is_wider = |setting: &Setting| setting.widens(before.get(setting.tag).map(String::as_str));
        settings.filter(is_wider).map(|setting| setting.parameter).collect()
    }

    #[test]
    fn only_a_value_that_admits_more_users_is_wider() {
        let closed = || json!({"AutoConfirm": "nobody", "ExternalProviders": "refuse"});
        assert_eq!(widened(closed(), closed()), Vec::<&str>::new());
        let open = json!({"AutoConfirm": "everyone", "AutoVerifyEmail": "everyone", "AutoVerifyPhone": "everyone"});
        assert_eq!(
            widened(closed(), open.clone()),
            ["AutoConfirm", "AutoVerifyEmail", "AutoVerifyPhone", "ExternalProviders"]
        );
        assert_eq!(widened(open, closed()), Vec::<&str>::new());
        let confirm =
            |before: &str, after: &str| widened(json!({"AutoConfirm": before}), json!({"AutoConfirm": after}));
        let modes = ["nobody", "invited", "trusted-domains", "everyone"];
        for before in modes {
            for after in modes {
                let is_wider = before != after && before != "everyone" && after != "nobody";
                assert_eq!(!confirm(before, after).is_empty(), is_wider, "{before} -> {after}");
            }
        }
    }

    #[test]
    fn a_changed_list_is_wider_but_another_spelling_is_not() {
        for list in ["AllowedEmailDomains", "DeniedEmailDomains", "TrustedEmailDomains"] {
            let with = |domains: &str| json!({"AutoConfirm": "invited", list: domains});
            assert_eq!(widened(with("a.example,b.example"), with(" B.example, a.example")), Vec::<&str>::new());
            for changed in ["", "a.example", "a.example,*.b.example", "a.example,b.example,c.example"] {
                assert_eq!(widened(with("a.example,b.example"), with(changed)), [list], "{changed}");
            }
            assert_eq!(widened(with(""), with("a.example")), [list]);
        }
        let from = |names: &str| json!({"AutoConfirm": "invited", "ExternalProviders": names});
        assert_eq!(widened(from("Okta"), from("Okta,Google")), ["ExternalProviders"]);
        assert_eq!(widened(from("allow"), from("Okta")), Vec::<&str>::new());
    }

    #[test]
    fn an_unrecorded_policy_counts_as_the_narrowest() {
        let settings = policy(json!({"AutoConfirm": "invited"})).settings();
        let wider = settings.iter().filter(|it| it.widens(None)).map(|it| it.parameter);
        assert_eq!(
            wider.collect::<Vec<_>>(),
            ["AutoConfirm", "ExternalProviders", "AllowedEmailDomains", "DeniedEmailDomains", "TrustedEmailDomains"]
        );
    }

    #[test]
    fn all_values_are_valid_tag_values() {
        let policy = policy(json!({
            "AutoConfirm": "trusted-domains", "AllowedEmailDomains": "*.bücher.example,a.example".repeat(100),
        }));
        let deployment = Deployment {
            stack_id: format!(
                "arn:aws:cloudformation:ap-southeast-1:123456789012:stack/{}/{}",
                "s".repeat(128),
                "1".repeat(36)
            ),
            sign_up_policy: Some(policy),
            confirms_wider_sign_up: false,
        };
        let tags = deployment.tags();
        assert_eq!(tags.len(), 8);
        for (key, value) in tags {
            let fits = |text: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || "_.:/=+-@ ".contains(one));
            assert!(key.len() <= 128 && value.len() <= 256 && fits(&key) && fits(&value), "{key} {value}");
        }
    }

    #[test]
    fn rejects_policy_that_allows_alias_takeover() {
        let spec = |aliases: &[&str]| -> Spec {
            serde_json::from_value(json!({"name": "shop", "sign_in": "username", "aliases": aliases})).unwrap()
        };
        let verifying = |parameter: &str, whose: &str| policy(json!({"AutoConfirm": "everyone", parameter: whose}));
        for (alias, parameter, other) in
            [("email", "AutoVerifyEmail", "phone_number"), ("phone_number", "AutoVerifyPhone", "email")]
        {
            let both = spec(&["preferred_username", alias]);
            let error = verifying(parameter, "everyone").check_aliases(&both).unwrap_err();
            assert!(error.to_string().contains(parameter), "{error}");
            assert_eq!(verifying(parameter, "everyone").check_aliases(&spec(&[other])), Ok(()));
            assert_eq!(verifying(parameter, "nobody").check_aliases(&both), Ok(()));
        }
        assert_eq!(verifying("AutoVerifyEmail", "invited").check_aliases(&spec(&["email"])), Ok(()));
    }
}
