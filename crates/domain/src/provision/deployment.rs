//! Which stack runs a user pool, and with which sign-up policy. Both are recorded in tags of the pool.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::ProvisionError;
use super::field_difference::Difference;
use crate::platform::UserPool;
use crate::spec::{Alias, MfaMode, Spec, SpecError};

/// The key of the tag with the id of the stack that owns a pool. A pool without it is owned by no stack.
pub const STACK_TAG: &str = "poolkeeper:stack";

/// The stack that an action runs for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The id of the stack.
    pub stack_id: String,
    /// The sign-up policy of the deployment. None at a deletion.
    pub sign_up_policy: Option<SignUpPolicy>,
    /// Whether the operator confirms a policy that is wider than the one that an adopted pool was last run with.
    pub confirms_wider_sign_up: bool,
}

impl Deployment {
    /// Whether the pool belongs to this stack.
    pub(super) fn owns(&self, pool: &UserPool) -> bool {
        pool.tags.get(STACK_TAG) == Some(&self.stack_id)
    }

    /// The tags of a pool that this stack runs.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let owner = (STACK_TAG.to_owned(), self.stack_id.clone());
        let policy = self.sign_up_policy.iter().flat_map(SignUpPolicy::settings);
        policy.map(|setting| (setting.tag.to_owned(), setting.value)).chain([owner]).collect()
    }

    /// Checks that the adoption of a pool lets nobody sign up whom its last policy kept out.
    ///
    /// # Errors
    ///
    /// [`ProvisionError::WiderSignUp`] if the policy is wider and not confirmed.
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

/// The sign-up policy of a deployment: the parameters of the template, under their names there. `SelfSignUp` is in the spec.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SignUpPolicy {
    /// Who is confirmed at sign-up.
    pub auto_confirm: Confirmed,
    /// Whose email address counts as verified at sign-up.
    #[serde(default)]
    pub auto_verify_email: Verified,
    /// Whose phone number counts as verified at sign-up.
    #[serde(default)]
    pub auto_verify_phone: Verified,
    /// From which external providers users may come.
    #[serde(default = "all_providers")]
    pub external_providers: String,
    /// Whose email addresses may sign up.
    #[serde(default)]
    pub allowed_email_domains: String,
    /// Whose email addresses may not sign up.
    #[serde(default)]
    pub denied_email_domains: String,
    /// Whose email addresses are confirmed with `AutoConfirm=trusted-domains`.
    #[serde(default)]
    pub trusted_email_domains: String,
}

fn all_providers() -> String {
    "allow".to_owned()
}

/// A value of `AutoConfirm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmed {
    /// No user.
    Nobody,
    /// Users with an invitation.
    Invited,
    /// Users who give an address of a trusted domain.
    TrustedDomains,
    /// Every user.
    Everyone,
}

/// A value of `AutoVerifyEmail` or `AutoVerifyPhone`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// No user's.
    #[default]
    Nobody,
    /// That of users with an invitation.
    Invited,
    /// Every user's.
    Everyone,
}

impl Confirmed {
    fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Invited => "invited",
            Self::TrustedDomains => "trusted-domains",
            Self::Everyone => "everyone",
        }
    }
}

impl Verified {
    fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Invited => "invited",
            Self::Everyone => "everyone",
        }
    }
}

/// One setting of a policy, with the values that no other value is narrower or wider than.
struct Setting {
    parameter: &'static str,
    tag: &'static str,
    value: String,
    narrowest: Option<&'static str>,
    widest: Option<&'static str>,
}

impl Setting {
    /// Whether the value may let in users whom the value before kept out. Two values that neither includes count as wider, and so does
    /// every value of a setting whose value before is unknown, except the narrowest.
    fn widens(&self, before: Option<&str>) -> bool {
        let is_same = before == Some(self.value.as_str());
        let was_widest = self.widest.is_some() && before == self.widest;
        !is_same && !was_widest && self.narrowest != Some(self.value.as_str())
    }
}

impl SignUpPolicy {
    fn settings(&self) -> Vec<Setting> {
        let of_people = |parameter, tag, value: &str| Setting {
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
            of_people("AutoConfirm", "poolkeeper:auto-confirm", self.auto_confirm.as_str()),
            of_people("AutoVerifyEmail", "poolkeeper:auto-verify-email", self.auto_verify_email.as_str()),
            of_people("AutoVerifyPhone", "poolkeeper:auto-verify-phone", self.auto_verify_phone.as_str()),
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

    /// What lets in users whom the pool kept out until now, or asks for less at sign-in.
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

    /// Rejects a policy by which anyone who signs up takes an alias from the user who holds it: Cognito moves an alias to the account that
    /// verified it last.
    ///
    /// # Errors
    ///
    /// The alias that would be verified without proof.
    pub fn check_aliases(&self, spec: &Spec) -> Result<(), SpecError> {
        let unproved = [
            (Alias::Email, self.auto_verify_email, "email", "AutoVerifyEmail"),
            (Alias::PhoneNumber, self.auto_verify_phone, "phone_number", "AutoVerifyPhone"),
        ];
        for (alias, verified, name, parameter) in unproved {
            if verified == Verified::Everyone && spec.aliases.contains(&alias) {
                let problem = format!(
                    "with the alias `{name}`, {parameter} must not be `everyone`: a sign-up would take the alias from its holder"
                );
                return Err(SpecError { field: "aliases", problem });
            }
        }
        Ok(())
    }
}

/// How much of sign-in asks for a second factor.
fn strength(mfa: MfaMode) -> u8 {
    match mfa {
        MfaMode::Off => 0,
        // Whether users can sign in without a second factor is not known of such a pool.
        MfaMode::Optional | MfaMode::WithoutTotp => 1,
        MfaMode::Required => 2,
    }
}

/// How a tag records a list: order, case and spaces do not matter. A tag has no room for a list, and takes no `*`.
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
    fn only_a_value_that_lets_in_more_users_is_wider() {
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
    fn a_changed_list_counts_as_wider_and_its_spelling_does_not() {
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
    fn a_policy_that_was_not_recorded_counts_as_the_narrowest() {
        let settings = policy(json!({"AutoConfirm": "invited"})).settings();
        let wider = settings.iter().filter(|it| it.widens(None)).map(|it| it.parameter);
        assert_eq!(
            wider.collect::<Vec<_>>(),
            ["AutoConfirm", "ExternalProviders", "AllowedEmailDomains", "DeniedEmailDomains", "TrustedEmailDomains"]
        );
    }

    #[test]
    fn all_values_are_ones_that_a_tag_takes() {
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
    fn a_policy_that_gives_away_aliases_is_rejected() {
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
