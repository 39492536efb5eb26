//! The delivery of codes.

use domain::user_pool::sessions::{CodeDelivery, Factor};
use domain::user_pool::user::Username;

use super::record::Record;

/// The attributes that codes can be sent to, with the attributes that mark them as verified.
const CONTACTS: [(&str, &str); 2] = [("email", "email_verified"), ("phone_number", "phone_number_verified")];

impl Record {
    /// The attribute that receives a sign-up code, if there is one.
    pub(super) fn contact(&self) -> Option<&'static str> {
        CONTACTS.into_iter().map(|(attribute, _)| attribute).find(|attribute| self.has(attribute))
    }

    /// The attribute that receives a password reset code, if there is one.
    pub(super) fn verified_contact(&self) -> Option<&'static str> {
        let is_verified = |flag| self.attributes.get(flag).is_some_and(|value| value == "true");
        let mut contacts = CONTACTS.into_iter().filter(|(attribute, flag)| self.has(attribute) && is_verified(*flag));
        contacts.next().map(|(attribute, _)| attribute)
    }

    /// The delivery to this attribute, none if it cannot receive codes or the user does not have it.
    pub(super) fn delivery_to(&self, attribute: &str) -> Option<CodeDelivery> {
        verification_of(attribute)?;
        let contact = self.attributes.get(attribute)?;
        let email = attribute == "email";
        Some(CodeDelivery {
            medium: if email { "EMAIL" } else { "SMS" }.to_owned(),
            destination: if email { masked_email(contact) } else { masked_number(contact) },
            attribute: Some(attribute.to_owned()),
        })
    }

    /// The delivery of a second factor's code, which verifies no attribute.
    pub(super) fn delivery_for(&self, factor: Factor) -> Option<CodeDelivery> {
        let attribute = attribute_of(factor)?;
        self.delivery_to(attribute).map(|delivery| CodeDelivery { attribute: None, ..delivery })
    }
}

/// The attribute that marks this one as verified, none if it cannot receive codes.
pub(super) fn verification_of(attribute: &str) -> Option<&'static str> {
    CONTACTS.into_iter().find(|(name, _)| *name == attribute).map(|(_, flag)| flag)
}

/// The attribute that receives the codes of a factor.
pub(super) fn attribute_of(factor: Factor) -> Option<&'static str> {
    match factor {
        Factor::SmsMfa => Some("phone_number"),
        Factor::EmailOtp => Some("email"),
        Factor::SoftwareTokenMfa => None,
    }
}

/// The simulated delivery for an unknown user, which does not reveal that the user does not exist.
pub(super) fn made_up(username: &Username) -> CodeDelivery {
    CodeDelivery {
        medium: "EMAIL".to_owned(),
        destination: masked_email(&format!("{username}@example.com")),
        attribute: Some("email".to_owned()),
    }
}

fn masked_email(address: &str) -> String {
    let (name, host) = address.split_once('@').unwrap_or((address, ""));
    let initial = |text: &str| text.chars().take(1).collect::<String>();
    format!("{}***@{}***", initial(name), initial(host))
}

fn masked_number(number: &str) -> String {
    let end: Vec<char> = number.chars().rev().take(4).collect();
    format!("+*******{}", end.into_iter().rev().collect::<String>())
}
