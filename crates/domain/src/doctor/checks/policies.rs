//! Reads IAM policy documents.

use serde_json::Value;

/// The statements that allow something.
pub(super) fn allowing(document: &Value) -> impl Iterator<Item = &Value> {
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement) => std::slice::from_ref(statement),
        None => &[],
    };
    statements.iter().filter(|statement| statement.get("Effect").and_then(Value::as_str) == Some("Allow"))
}

/// The texts of a field, which is a text or a list of texts.
pub(super) fn texts(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(elements)) => elements.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The values of a condition key under operators that `includes` accepts. IAM ignores the case of keys.
pub(super) fn conditions<'a>(statement: &'a Value, includes: impl Fn(&str) -> bool, key: &str) -> Vec<Vec<&'a str>> {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let operators = operators.filter(|(operator, _)| includes(operator)).filter_map(|(_, keys)| keys.as_object());
    operators
        .flatten()
        .filter(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| texts(Some(value)))
        .collect()
}

/// Whether the text has the form of the pattern, in which `*` matches any text and `?` one character.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_at_checked(1) {
        None | Some(("", _)) => text.is_empty(),
        Some(("*", rest)) => text.char_indices().any(|(index, _)| matches(rest, &text[index..])) || matches(rest, ""),
        Some((first, rest)) => {
            let mut characters = text.chars();
            let next = characters.next();
            (first == "?" && next.is_some() || next.is_some_and(|next| first == next.encode_utf8(&mut [0; 4])))
                && matches(rest, characters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_wildcards_like_iam() {
        for (pattern, text) in
            [("", ""), ("*", ""), ("*", "abc"), ("a*c", "abbc"), ("a?c", "abc"), ("a*", "a"), ("*c", "abc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a?c", "ac"), ("a*c", "ab"), ("abc", "abcd"), ("?", "")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
