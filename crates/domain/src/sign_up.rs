//! The sign-up policy: who may sign up, who is confirmed at once, and what counts as verified.

mod address;
mod domain_list;
mod external_providers;
#[cfg(test)]
mod tests;

use thiserror::Error;
use time::OffsetDateTime;

use crate::invitation::{Claim, Fault, PublicKey};

pub use address::{EmailAddress, MAX_ADDRESS_BYTES, NotAnAddress};
pub use domain_list::{Domain, DomainList, NotADomain, NotADomainList};
pub use external_providers::{ExternalProviders, NotExternalProviders, ProviderName};

/// The rules of one pool. The default confirms everyone and verifies nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Who is confirmed at once.
    pub auto_confirm: AutoConfirm,
    /// Whose e-mail address counts as verified.
    pub auto_verify_email: AutoVerifyEmail,
    /// Whether a phone number counts as verified.
    pub auto_verify_phone: AutoVerifyPhone,
    /// Whose addresses may sign up; empty for all.
    pub allowed_email_domains: DomainList,
    /// Whose addresses may not, also where they are allowed.
    pub denied_email_domains: DomainList,
    /// Whether people may come from external providers.
    pub external_providers: ExternalProviders,
}

/// Who is confirmed without a code (`AUTO_CONFIRM`). Who is not goes the ordinary way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AutoConfirm {
    /// Everyone who signs up.
    #[default]
    Everyone,
    /// Whoever gives an address of one of these domains. That the address is theirs is not known.
    TrustedDomains(DomainList),
    /// Whoever shows an invitation that was signed with this key.
    Invited(PublicKey),
    /// Nobody: the ordinary way, by code or by an administrator.
    Nobody,
}

/// Whose e-mail address counts as verified at once (`AUTO_VERIFY_EMAIL`). Only a user who is confirmed at once is verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AutoVerifyEmail {
    /// Nobody's: the ordinary way, by code.
    #[default]
    Nobody,
    /// That of whoever shows an invitation for it that was signed with this key.
    Invited(PublicKey),
    /// Everyone's, without any proof. Where e-mail is an alias, Cognito takes a verified address away from whoever had it before: this is how
    /// accounts are taken over.
    Everyone,
}

/// Whether a phone number counts as verified at once (`AUTO_VERIFY_PHONE`). Only a user who is confirmed at once is verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AutoVerifyPhone {
    /// Nobody's.
    #[default]
    Nobody,
    /// Everyone's, without any proof; as risky as with e-mail addresses.
    Everyone,
}

/// How a user comes into the pool, with what the rules for that way have to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    /// A person signs up.
    SelfSignUp(SelfSignUp),
    /// An administrator creates the user: it was the administrator who decided.
    Administrator,
    /// First sign-in through an external provider.
    ExternalProvider {
        /// `PROVIDER_subject`; Cognito sometimes leaves it out.
        user_name: Given,
    },
    /// A way that this version does not know: nothing is granted to it.
    Unknown,
}

/// What a person who signs up says of themselves. All of it is what they wrote, but for the pool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SelfSignUp {
    /// The pool that they sign up to.
    pub user_pool_id: Given,
    /// The attribute `email`.
    pub email: Given,
    /// The attribute `phone_number`.
    pub phone_number: Given,
    /// An invitation.
    pub invitation: Given,
}

/// Something that a person may have given.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Given {
    /// Not there; or null, or empty.
    #[default]
    Absent,
    /// There, and no text.
    Unreadable,
    /// There.
    Text(String),
}

/// Without the text: it is a person's, or a token.
impl std::fmt::Debug for Given {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Absent => "Absent",
            Self::Unreadable => "Unreadable",
            Self::Text(_) => "Text(…)",
        })
    }
}

/// What becomes of a sign-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The flags as they came; one that is no boolean becomes `false`.
    Unchanged,
    /// These flags and no others are true.
    Admit {
        /// The flags.
        grants: Grants,
        /// The id of the invitation that was shown, where one made a difference.
        invitation: Option<String>,
    },
    /// It is refused.
    Refuse(Refusal),
}

/// What is granted to whoever signs up. Nothing, unless something says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grants {
    /// Confirmed, without a code.
    pub confirm: bool,
    /// The e-mail address counts as verified.
    pub verify_email: bool,
    /// The phone number counts as verified.
    pub verify_phone: bool,
}

/// Why a sign-up is refused. Holds nothing of what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Domains decide, and there is no e-mail address.
    #[error("there is no e-mail address")]
    NoEmail,
    /// Domains decide, and what is given is no e-mail address that can be read in one way only.
    #[error("the e-mail address cannot be read")]
    UnreadableEmail,
    /// Addresses of this domain are denied, or not among the allowed.
    #[error("the domain of the e-mail address is not allowed")]
    EmailDomain,
    /// An invitation was shown that is none for this person.
    #[error("the invitation does not count: {0}")]
    Invitation(Fault),
    /// An invitation was shown without a readable e-mail address or a pool that it could be for.
    #[error("the invitation does not count: there is nobody that it could be for")]
    InvitationForNobody,
    /// People may not come from this external provider.
    #[error("the external provider is not allowed")]
    ExternalProvider,
}

/// Decides one sign-up. Same answer for same input: Cognito asks up to three times.
#[must_use]
pub fn decide(policy: &Policy, sign_up: &SignUp, now: OffsetDateTime) -> Decision {
    match sign_up {
        SignUp::SelfSignUp(self_sign_up) => policy.judge(self_sign_up, now).unwrap_or_else(Decision::Refuse),
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
    fn judge(&self, self_sign_up: &SelfSignUp, now: OffsetDateTime) -> Result<Decision, Refusal> {
        let email = self_sign_up.email();
        if self.decides_by_domain() {
            self.admit(email.as_ref().map_err(|refusal| *refusal)?.domain())?;
        }
        let invitation = match (self.invitation_key(), &self_sign_up.invitation) {
            (None, _) | (Some(_), Given::Absent) => None,
            (Some(_), Given::Unreadable) => return Err(Refusal::Invitation(Fault::Foreign)),
            (Some(key), Given::Text(token)) => Some(self_sign_up.show(token, key, now)?),
        };
        let invited = invitation.is_some();
        let confirm = match &self.auto_confirm {
            AutoConfirm::Everyone => true,
            AutoConfirm::TrustedDomains(trusted) => email.is_ok_and(|email| trusted.contains(email.domain())),
            AutoConfirm::Invited(_) => invited,
            AutoConfirm::Nobody => false,
        };
        // Cognito rejects a sign-up with a verify flag for an absent attribute, and one with a verify flag for an unconfirmed user:
        // "Phone or email cannot be auto verified, when user is not being auto confirmed" (aws-sdk-java#1049).
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

    /// Whether the domain of the address makes a difference. Then everybody needs one that can be read.
    fn decides_by_domain(&self) -> bool {
        matches!(self.auto_confirm, AutoConfirm::TrustedDomains(_))
            || !self.allowed_email_domains.is_empty()
            || !self.denied_email_domains.is_empty()
    }

    fn admit(&self, domain: &Domain) -> Result<(), Refusal> {
        let is_allowed = self.allowed_email_domains.is_empty() || self.allowed_email_domains.contains(domain);
        if is_allowed && !self.denied_email_domains.contains(domain) { Ok(()) } else { Err(Refusal::EmailDomain) }
    }

    /// The key, where invitations make a difference. Where they make none, one that is shown is not even looked at: the word may mean
    /// something else there.
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
            Given::Absent => Err(Refusal::NoEmail),
            Given::Unreadable => Err(Refusal::UnreadableEmail),
            Given::Text(text) => text.parse().map_err(|_| Refusal::UnreadableEmail),
        }
    }

    /// Shows an invitation, and gives its id.
    fn show(&self, token: &str, key: &PublicKey, now: OffsetDateTime) -> Result<String, Refusal> {
        let (Ok(email), Some(user_pool_id)) = (self.email(), self.user_pool_id.text()) else {
            return Err(Refusal::InvitationForNobody);
        };
        Claim { user_pool_id, email: &email }.check(token, key, now).map_err(Refusal::Invitation)
    }
}

impl Given {
    /// The text, where there is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

impl From<String> for Given {
    fn from(text: String) -> Self {
        if text.is_empty() { Self::Absent } else { Self::Text(text) }
    }
}

/// The text is none of the words that a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected `nobody` or `everyone`")]
pub struct NotAnAutoVerifyPhone;

impl std::str::FromStr for AutoVerifyPhone {
    type Err = NotAnAutoVerifyPhone;

    fn from_str(text: &str) -> Result<Self, NotAnAutoVerifyPhone> {
        match text {
            "nobody" => Ok(Self::Nobody),
            "everyone" => Ok(Self::Everyone),
            _ => Err(NotAnAutoVerifyPhone),
        }
    }
}
