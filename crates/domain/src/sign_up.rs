//! The sign-up policy: which sign-ups are admitted, confirmed and verified.

mod address;
mod domain_list;
mod external_providers;
#[cfg(test)]
mod tests;

use strum::{IntoStaticStr, VariantArray};
use thiserror::Error;
use time::OffsetDateTime;

use crate::invitation::{Claim, InvitationError, PublicKey};

pub use address::{EmailAddress, InvalidEmailAddress, MAX_ADDRESS_BYTES};
pub use domain_list::{Domain, DomainList, InvalidDomain, InvalidDomainList};
pub use external_providers::{ExternalProviders, InvalidExternalProviders, ProviderName};

/// The sign-up policy of one pool. The default confirms all users and verifies nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Which users are confirmed automatically.
    pub auto_confirm: AutoConfirm,
    /// Which e-mail addresses are verified automatically.
    pub auto_verify_email: AutoVerifyEmail,
    /// Whether phone numbers are verified automatically.
    pub auto_verify_phone: AutoVerifyPhone,
    /// The allowed e-mail domains; empty allows all.
    pub allowed_email_domains: DomainList,
    /// The denied e-mail domains. They take precedence over the allowed ones.
    pub denied_email_domains: DomainList,
    /// The allowed external providers.
    pub external_providers: ExternalProviders,
}

/// Which users are confirmed without a code (`AUTO_CONFIRM`). Other users confirm with a code, or an administrator
/// confirms them.
#[derive(Debug, Clone, Default, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum AutoConfirm {
    /// All users.
    #[default]
    Everyone,
    /// Users with an e-mail address of one of these domains. Ownership of the address is not verified.
    TrustedDomains(DomainList),
    /// Users with an invitation that was signed with this key.
    Invited(PublicKey),
    /// No users.
    Nobody,
}

/// Which e-mail addresses are verified automatically (`AUTO_VERIFY_EMAIL`). Requires that the user is confirmed
/// automatically.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AutoVerifyEmail {
    /// No addresses. Users verify with a code.
    #[default]
    Nobody,
    /// Addresses with an invitation that was signed with this key.
    Invited(PublicKey),
    /// All addresses, without proof of ownership. If e-mail is an alias, Cognito removes a verified address from its
    /// previous user, which allows account takeover.
    Everyone,
}

/// Which phone numbers are verified automatically (`AUTO_VERIFY_PHONE`). Requires that the user is confirmed
/// automatically.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AutoVerifyPhone {
    /// None.
    #[default]
    Nobody,
    /// All phone numbers, without proof of ownership. The risk is the same as for e-mail addresses.
    Everyone,
}

/// How a user enters the pool, with the input of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    /// The user signs up.
    SelfSignUp(SelfSignUp),
    /// An administrator creates the user. The policy does not apply.
    Administrator,
    /// The user signs in through an external provider for the first time.
    ExternalProvider {
        /// The user name, `PROVIDER_subject`, which Cognito sometimes omits.
        user_name: TextField,
    },
    /// A trigger source that this version does not know. Nothing is granted.
    Unknown,
}

/// The input of a self sign-up. Only the pool id is trusted; the caller chooses the other fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelfSignUp {
    /// The user pool's id.
    pub user_pool_id: TextField,
    /// The attribute `email`.
    pub email: TextField,
    /// The attribute `phone_number`.
    pub phone_number: TextField,
    /// The invitation token.
    pub invitation: TextField,
}

/// A text field of a sign-up.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum TextField {
    /// The field is absent, null or empty.
    #[default]
    Absent,
    /// The field is not a string.
    Unreadable,
    /// The field is a non-empty string.
    Text(String),
}

/// Omits the text, which is personal data or a token.
impl std::fmt::Debug for TextField {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "Absent",
            Self::Unreadable => "Unreadable",
            Self::Text(_) => "Text(…)",
        })
    }
}

/// The decision on a sign-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The flags are left unchanged, except that a flag that is not a boolean becomes `false`.
    Unchanged,
    /// The sign-up is admitted with exactly these flags.
    Admit {
        /// The flags.
        grants: Grants,
        /// The id of the invitation, if the policy uses invitations and the sign-up has one.
        invitation: Option<String>,
    },
    /// The sign-up is rejected.
    Refuse(Refusal),
}

/// The flags of an admitted sign-up. The default grants nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// The user is confirmed.
    pub confirm: bool,
    /// The e-mail address is verified.
    pub verify_email: bool,
    /// The phone number is verified.
    pub verify_phone: bool,
}

/// Why a sign-up is rejected. Contains no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Refusal {
    /// The policy has domain rules, and the e-mail address is missing.
    #[error("the e-mail address is missing")]
    NoEmail,
    /// The policy has domain rules, and the e-mail address is invalid or ambiguous.
    #[error("the e-mail address is not valid")]
    UnreadableEmail,
    /// The domain of the e-mail address is denied or not allowed.
    #[error("the domain of the e-mail address is not allowed")]
    EmailDomain,
    /// The invitation is not valid for this sign-up.
    #[error("invalid invitation: {0}")]
    Invitation(InvitationError),
    /// The sign-up has an invitation, but lacks a valid e-mail address or the pool id.
    #[error("invalid invitation: the event lacks a valid e-mail address or the user pool id")]
    InvitationWithoutRecipient,
    /// The external provider is not allowed.
    #[error("the external provider is not allowed")]
    #[strum(serialize = "provider-not-allowed")]
    ExternalProvider,
}

/// The sentences that users receive, without a full stop.
#[derive(Clone, Copy, IntoStaticStr, VariantArray)]
enum PublicSentence {
    #[strum(serialize = "An e-mail address is needed to sign up")]
    NoEmail,
    #[strum(serialize = "This e-mail address cannot be used to sign up")]
    UnreadableEmail,
    #[strum(serialize = "E-mail addresses of this domain cannot be used to sign up")]
    EmailDomain,
    /// One text for all reasons, because the reason would help an attacker who guesses.
    #[strum(serialize = "The invitation is not valid for this sign-up. Ask for a new one")]
    Invitation,
    #[strum(serialize = "Signing up through this provider is not possible")]
    ExternalProvider,
}

impl Refusal {
    /// Returns the sentence that the user receives, without a full stop.
    #[must_use]
    pub fn public_sentence(self) -> &'static str {
        match self {
            Self::NoEmail => PublicSentence::NoEmail,
            Self::UnreadableEmail => PublicSentence::UnreadableEmail,
            Self::EmailDomain => PublicSentence::EmailDomain,
            Self::Invitation(_) | Self::InvitationWithoutRecipient => PublicSentence::Invitation,
            Self::ExternalProvider => PublicSentence::ExternalProvider,
        }
        .into()
    }

    /// Returns the [`Self::public_sentence`] that an error message of Cognito contains, and `None` for other messages.
    #[must_use]
    pub fn sentence_in(message: &str) -> Option<&'static str> {
        PublicSentence::VARIANTS.iter().map(Into::into).find(|sentence: &&str| message.contains(sentence))
    }
}

/// Decides a sign-up. Deterministic, because Cognito invokes the trigger up to three times.
#[must_use]
pub fn decide(policy: &Policy, sign_up: &SignUp, now: OffsetDateTime) -> Decision {
    match sign_up {
        SignUp::SelfSignUp(self_sign_up) => policy.evaluate(self_sign_up, now).unwrap_or_else(Decision::Refuse),
        SignUp::ExternalProvider { user_name } => {
            if policy.external_providers.admit(user_name.text()) {
                Decision::Unchanged
            } else {
                Decision::Refuse(Refusal::ExternalProvider)
            }
        }
        SignUp::Administrator | SignUp::Unknown => Decision::Unchanged,
    }
}

impl Policy {
    fn evaluate(&self, self_sign_up: &SelfSignUp, now: OffsetDateTime) -> Result<Decision, Refusal> {
        let email = self_sign_up.email();
        if self.has_domain_rules() {
            self.check_domain(email.as_ref().map_err(|refusal| *refusal)?.domain())?;
        }
        let invitation = match (self.invitation_key(), &self_sign_up.invitation) {
            (None, _) | (Some(_), TextField::Absent) => None,
            (Some(_), TextField::Unreadable) => return Err(Refusal::Invitation(InvitationError::Foreign)),
            (Some(key), TextField::Text(token)) => Some(self_sign_up.check_invitation(token, key, now)?),
        };
        let invited = invitation.is_some();
        let confirm = match &self.auto_confirm {
            AutoConfirm::Everyone => true,
            AutoConfirm::TrustedDomains(trusted) => email.is_ok_and(|email| trusted.contains(email.domain())),
            AutoConfirm::Invited(_) => invited,
            AutoConfirm::Nobody => false,
        };
        // Cognito rejects a verify flag for an absent attribute or an unconfirmed user ("Phone or email cannot be auto
        // verified, when user is not being auto confirmed", aws-sdk-java#1049).
        let verify_email = match &self.auto_verify_email {
            AutoVerifyEmail::Everyone => true,
            AutoVerifyEmail::Invited(_) => invited,
            AutoVerifyEmail::Nobody => false,
        };
        let verify_phone = self.auto_verify_phone == AutoVerifyPhone::Everyone;
        let grants = Grants {
            confirm,
            verify_email: confirm && verify_email && self_sign_up.email.text().is_some(),
            verify_phone: confirm && verify_phone && self_sign_up.phone_number.text().is_some(),
        };
        Ok(Decision::Admit { grants, invitation })
    }

    /// Whether the decision depends on the domain. If so, each sign-up needs a valid e-mail address.
    fn has_domain_rules(&self) -> bool {
        matches!(self.auto_confirm, AutoConfirm::TrustedDomains(_))
            || !self.allowed_email_domains.is_empty()
            || !self.denied_email_domains.is_empty()
    }

    fn check_domain(&self, domain: &Domain) -> Result<(), Refusal> {
        let is_allowed = self.allowed_email_domains.is_empty() || self.allowed_email_domains.contains(domain);
        if is_allowed && !self.denied_email_domains.contains(domain) { Ok(()) } else { Err(Refusal::EmailDomain) }
    }

    /// The key, if the policy uses invitations. Otherwise the field `invitation` is ignored, because it may have
    /// another meaning.
    fn invitation_key(&self) -> Option<&PublicKey> {
        match (&self.auto_confirm, &self.auto_verify_email) {
            (AutoConfirm::Invited(key), _) | (_, AutoVerifyEmail::Invited(key)) => Some(key),
            _ => None,
        }
    }
}

impl SelfSignUp {
    fn email(&self) -> Result<EmailAddress, Refusal> {
        match &self.email {
            TextField::Absent => Err(Refusal::NoEmail),
            TextField::Unreadable => Err(Refusal::UnreadableEmail),
            TextField::Text(text) => text.parse().map_err(|_| Refusal::UnreadableEmail),
        }
    }

    /// Verifies the invitation and returns its id.
    fn check_invitation(&self, token: &str, key: &PublicKey, now: OffsetDateTime) -> Result<String, Refusal> {
        let (Ok(email), Some(user_pool_id)) = (self.email(), self.user_pool_id.text()) else {
            return Err(Refusal::InvitationWithoutRecipient);
        };
        Claim { user_pool_id, email: &email }.check(token, key, now).map_err(Refusal::Invitation)
    }
}

impl TextField {
    /// Returns the text, if there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

impl From<String> for TextField {
    fn from(text: String) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }
}

/// The text is not a value of `AUTO_VERIFY_PHONE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be `nobody` or `everyone`")]
pub struct InvalidAutoVerifyPhone;

impl std::str::FromStr for AutoVerifyPhone {
    type Err = InvalidAutoVerifyPhone;

    fn from_str(text: &str) -> Result<Self, InvalidAutoVerifyPhone> {
        match text {
            "nobody" => Ok(Self::Nobody),
            "everyone" => Ok(Self::Everyone),
            _ => Err(InvalidAutoVerifyPhone),
        }
    }
}
