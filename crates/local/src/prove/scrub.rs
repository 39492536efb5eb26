//! Removes private data from the report.

/// Replaces known private strings and tokens.
pub(super) struct Scrubber {
    texts: Vec<(String, &'static str)>,
    words: Vec<(String, &'static str)>,
}

impl Scrubber {
    /// `texts` are replaced everywhere, `words` only as whole words. Longer texts are replaced first, because an ARN
    /// contains an id.
    pub(super) fn new(texts: &[(&str, &'static str)], words: &[(&str, &'static str)]) -> Self {
        let owned = |pairs: &[(&str, &'static str)]| {
            let known = pairs.iter().filter(|(text, _)| !text.is_empty());
            known.map(|(text, replacement)| ((*text).to_owned(), *replacement)).collect()
        };
        Self { texts: owned(texts), words: owned(words) }
    }

    /// Returns the text without private data.
    pub(super) fn scrub(&self, text: &str) -> String {
        let texts = self.texts.iter();
        let text = texts.fold(text.to_owned(), |text, (private, replacement)| text.replace(private, replacement));
        let words = self.words.iter();
        without_tokens(&words.fold(text, |text, (private, replacement)| without_word(&text, private, replacement)))
    }
}

/// Replaces a word, but no part of a longer word.
fn without_word(text: &str, word: &str, replacement: &str) -> String {
    let of_word = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let mut scrubbed = String::with_capacity(text.len());
    let mut done = 0;
    for (start, _) in text.match_indices(word) {
        let end = start + word.len();
        let whole = !text[..start].ends_with(of_word) && !text[end..].starts_with(of_word);
        scrubbed.push_str(&text[done..start]);
        scrubbed.push_str(if whole { replacement } else { word });
        done = end;
    }
    scrubbed + &text[done..]
}

/// Replaces tokens. Cognito and Poolkeeper issue compact JWTs and JWSs, which begin with `eyJ`.
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
    fn replaces_only_private_texts_and_tokens() {
        let scrubber = Scrubber::new(
            &[
                ("arn:aws:iam::123456789012:user/alice", "OPERATOR"),
                ("123456789012", "ACCOUNT"),
                ("me@example.com", "MAILBOX"),
                ("", "NOTHING"),
            ],
            &[("prod", "PROFILE"), ("", "NOTHING")],
        );
        for (text, scrubbed) in [
            ("arn:aws:iam::123456789012:user/alice may not", "OPERATOR may not"),
            ("arn:aws:iam::123456789012:role/a", "arn:aws:iam::ACCOUNT:role/a"),
            ("mail to me@example.com", "mail to MAILBOX"),
            ("token eyJhbGciOi.J9-_x.y, and more", "token TOKEN, and more"),
            ("eyJa eyJb", "TOKEN TOKEN"),
            ("nothing", "nothing"),
            (
                "make prove ARGUMENTS=\"--profile prod --clean x\"",
                "make prove ARGUMENTS=\"--profile PROFILE --clean x\"",
            ),
            ("prod", "PROFILE"),
            ("prod, a product, my-prod and prod_2", "PROFILE, a product, my-prod and prod_2"),
        ] {
            assert_eq!(scrubber.scrub(text), scrubbed);
        }
    }
}
