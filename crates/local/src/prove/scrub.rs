//! Keeps out of the report what must not be attached to an issue.

/// Replaces what is known to be private, and what looks like a token.
pub(super) struct Scrubber {
    private: Vec<(String, &'static str)>,
}

impl Scrubber {
    /// The longest texts first: an ARN contains the account's id.
    pub(super) fn new(private: &[(&str, &'static str)]) -> Self {
        let known = private.iter().filter(|(text, _)| !text.is_empty());
        Self { private: known.map(|(text, replacement)| ((*text).to_owned(), *replacement)).collect() }
    }

    /// The text without anything private.
    pub(super) fn scrub(&self, text: &str) -> String {
        let known = self.private.iter();
        without_tokens(&known.fold(text.to_owned(), |text, (private, replacement)| text.replace(private, replacement)))
    }
}

/// Every token of Cognito and of Poolkeeper is a JWT or JWS in compact form, which begins with `eyJ`.
fn without_tokens(text: &str) -> String {
    let mut rest = text;
    let mut scrubbed = String::with_capacity(text.len());
    while let Some(start) = rest.find("eyJ") {
        let token = &rest[start..];
        let end = token.find(|character: char| !(character.is_ascii_alphanumeric() || "-_.=+/".contains(character)));
        scrubbed.push_str(&rest[..start]);
        scrubbed.push_str("TOKEN");
        rest = &token[end.unwrap_or(token.len())..];
    }
    scrubbed + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_texts_and_tokens_are_replaced_and_the_rest_stays() {
        let scrubber = Scrubber::new(&[
            ("arn:aws:iam::123456789012:user/alice", "OPERATOR"),
            ("123456789012", "ACCOUNT"),
            ("me@example.com", "MAILBOX"),
            ("", "NOTHING"),
        ]);
        for (text, scrubbed) in [
            ("arn:aws:iam::123456789012:user/alice may not", "OPERATOR may not"),
            ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::ACCOUNT:role/a"),
            ("mail to me@example.com", "mail to MAILBOX"),
            ("token eyJhbGciOi.J9-_x.y, and more", "token TOKEN, and more"),
            ("eyJa eyJb", "TOKEN TOKEN"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(scrubber.scrub(text), scrubbed);
        }
    }
}
