//! An independent reader of events.

use domain::sign_up::EmailAddress;

use super::json::{Object, text};

/// An event.
pub(super) struct Event<'a> {
    pub(super) text: &'a str,
    members: Object<'a>,
    /// The object with the flags, or `None` if `response` is not an object.
    response: Option<Object<'a>>,
    pub(super) source: Option<String>,
    pub(super) user_name: Given,
    pub(super) user_pool_id: Given,
    pub(super) email: Given,
    pub(super) address: Option<Address>,
    pub(super) phone_number: Given,
    pub(super) invitation: Given,
}

impl<'a> Event<'a> {
    /// Reads an event. Returns `None` if the text is not an object.
    pub(super) fn read(event: &'a str) -> Option<Self> {
        let members = Object::split(event)?;
        let request = Part::of(members.last("request"));
        let attributes = request.part("userAttributes");
        let email = attributes.given("email");
        Some(Self {
            text: event,
            response: match Part::of(members.last("response")) {
                Part::Absent => Some(Object::empty()),
                Part::Unreadable => None,
                Part::Object(response) => Some(response),
            },
            source: members.last("triggerSource").and_then(text),
            user_name: given(members.last("userName")),
            user_pool_id: given(members.last("userPoolId")),
            address: email.text().and_then(Address::read),
            email,
            phone_number: attributes.given("phone_number"),
            invitation: match request.part("clientMetadata").given("invitation") {
                Given::Absent => request.part("validationData").given("invitation"),
                given => given,
            },
            members,
        })
    }

    /// Returns the event with these flags as booleans and nothing else changed. A flag without a decision keeps its
    /// boolean. Returns `None` if `response` is not an object.
    pub(super) fn with(&self, flags: [(&str, Option<bool>); 3]) -> Option<String> {
        let response = self.response.as_ref()?;
        let wanted = flags.map(|(name, decided)| {
            let is_true = decided.unwrap_or_else(|| response.last(name) == Some("true"));
            (name, if is_true { "true" } else { "false" })
        });
        let differs = |(name, value): &(&str, &str)| {
            let mut flags = response.all(name).peekable();
            flags.peek().is_none() || flags.any(|flag| flag != *value)
        };
        let changes: Vec<_> = wanted.into_iter().filter(differs).collect();
        if changes.is_empty() {
            return Some(self.text.to_owned());
        }
        Some(self.members.with(&[("response", &response.with(&changes))]))
    }
}

/// A part of the event that should be an object.
enum Part<'a> {
    Absent,
    Unreadable,
    Object(Object<'a>),
}

impl<'a> Part<'a> {
    fn of(json: Option<&'a str>) -> Self {
        match json {
            None | Some("null") => Self::Absent,
            Some(json) => Object::split(json).map_or(Self::Unreadable, Self::Object),
        }
    }

    fn part(&self, name: &str) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Unreadable => Self::Unreadable,
            Self::Object(members) => Self::of(members.last(name)),
        }
    }

    fn given(&self, name: &str) -> Given {
        match self {
            Self::Absent => Given::Absent,
            Self::Unreadable => Given::Unreadable,
            Self::Object(members) => given(members.last(name)),
        }
    }
}

/// The value of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Given {
    Absent,
    Unreadable,
    Text(String),
}

impl Given {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::Unreadable => None,
        }
    }
}

fn given(json: Option<&str>) -> Given {
    match json {
        None | Some("null" | r#""""#) => Given::Absent,
        Some(json) => text(json).map_or(Given::Unreadable, Given::Text),
    }
}

/// The best-known characters that are invisible in an address or change the order of its text.
const INVISIBLE: [char; 14] = [
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2060}',
    '\u{2066}', '\u{2800}', '\u{3164}', '\u{fe0f}', '\u{feff}',
];

/// Characters in the local part that make an address ambiguous.
const AMBIGUOUS: [char; 14] = ['@', '"', ',', ';', ':', '<', '>', '(', ')', '[', ']', '\\', '!', '%'];

/// An unambiguous e-mail address.
pub(super) struct Address {
    pub(super) normal: String,
    domain: String,
}

impl Address {
    /// Reads an address. For addresses that are not ASCII, the tested parser converts the domain.
    fn read(email: &str) -> Option<Self> {
        let parsed = email.parse::<EmailAddress>().ok();
        let normal = if email.is_ascii() { email.to_ascii_lowercase() } else { parsed.as_ref()?.to_string() };
        let (local_part, domain) = normal.rsplit_once('@')?;
        let is_ambiguous = email.contains(is_hidden) || domain.ends_with('.') || local_part.contains(AMBIGUOUS);
        let is_usual = email.len() <= 63 && [local_part, domain].iter().all(|part| part.split('.').all(is_usual_word));
        // For addresses that are neither ambiguous nor usual, the tested parser decides.
        let is_read = is_usual || parsed.is_some() && !is_ambiguous;
        is_read.then(|| Self { domain: domain.to_owned(), normal: normal.clone() })
    }

    /// Whether a list of ASCII domains contains the domain, compared label by label from the last label.
    pub(super) fn is_in(&self, list: &str) -> bool {
        list.split(',').any(|entry| {
            let (entry, is_wildcard) = entry.strip_prefix("*.").map_or((entry, false), |parent| (parent, true));
            let (mut entry, mut own) = (entry.rsplit('.'), self.domain.rsplit('.'));
            entry.all(|label| own.next() == Some(label)) && own.next().is_some() == is_wildcard
        })
    }
}

fn is_hidden(character: char) -> bool {
    character.is_whitespace() || character.is_control() || INVISIBLE.contains(&character)
}

fn is_usual_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
