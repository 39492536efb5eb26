//! An independent reader of JSON objects, so that tests do not use the handler's own. It expects valid JSON.

/// The members of an object in their original order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object<'a>(Vec<Member<'a>>);

/// One member: name and value as JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Object<'a> {
    /// Splits an object. Returns `None` if the text is not an object.
    pub(crate) fn split(text: &'a str) -> Option<Self> {
        let mut rest = text.trim_start().strip_prefix('{')?.trim_start();
        let mut members = Vec::new();
        while !rest.starts_with('}') {
            let (name, after) = rest.split_at(end_of_value(rest));
            let after = after.trim_start().strip_prefix(':')?.trim_start();
            let (value, after) = after.split_at(end_of_value(after));
            members.push(Member { name, value });
            let after = after.trim_start();
            rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        }
        Some(Self(members))
    }

    pub(crate) fn empty() -> Self {
        Self(Vec::new())
    }

    /// Returns the last value with this name.
    pub(crate) fn last(&self, name: &str) -> Option<&'a str> {
        self.all(name).last()
    }

    /// Returns all values with this name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |member| member.is(name)).map(|member| member.value)
    }

    /// Returns the object with these values replaced or appended.
    pub(crate) fn with(&self, values: &[(&str, &str)]) -> String {
        let kept = self.0.iter().map(|member| {
            let other = values.iter().find(|(name, _)| member.is(name)).map(|(_, value)| *value);
            format!("{}:{}", member.name, other.unwrap_or(member.value))
        });
        let is_new = |(name, _): &&(&str, &str)| !self.0.iter().any(|member| member.is(name));
        let added = values.iter().filter(is_new).map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", kept.chain(added).collect::<Vec<_>>().join(","))
    }
}

impl Member<'_> {
    fn is(&self, name: &str) -> bool {
        if self.name.contains('\\') {
            text(self.name).as_deref() == Some(name)
        } else {
            self.name.trim_matches('"') == name
        }
    }
}

/// Decodes a JSON string. Returns `None` for another type and for a lone surrogate.
pub(crate) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}

/// Returns the end of the value that begins the text.
fn end_of_value(text: &str) -> usize {
    let (mut position, mut depth) = (0, 0_usize);
    while let Some(found) = text[position..].find(['"', '{', '}', '[', ']', ',']) {
        position += found;
        match text.as_bytes()[position] {
            b'"' => position = end_of_string(text, position),
            b'{' | b'[' => (position, depth) = (position + 1, depth + 1),
            b',' if depth > 0 => position += 1,
            b',' => return text[..position].trim_end().len(),
            _ if depth == 0 => return text[..position].trim_end().len(),
            _ => (position, depth) = (position + 1, depth - 1),
        }
        if depth == 0 {
            return position;
        }
    }
    text.len()
}

/// Returns the end of the string that begins at `start`.
fn end_of_string(text: &str, start: usize) -> usize {
    let mut position = start + 1;
    while let Some(found) = text[position..].find(['"', '\\']) {
        position += found + 1;
        if text.as_bytes()[position - 1] == b'"' {
            return position;
        }
        position += 1;
    }
    text.len()
}
