//! A second reader of JSON objects, so that the handler is not judged by its own. It takes text that is known to be JSON, and only splits it.

/// The members of an object, in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Object<'a>(Vec<Member<'a>>);

/// One member: name and value as they are written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Member<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> Object<'a> {
    /// Splits an object; none where the text is something else.
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

    /// The value that common readers see: the last one of that name.
    pub(crate) fn last(&self, name: &str) -> Option<&'a str> {
        self.all(name).last()
    }

    /// All the values of that name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |member| member.is(name)).map(|member| member.value)
    }

    /// The object with other values, each in its place, and at the end where it has none.
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

/// What a JSON string says; none where it is none, or says what is no text (half a surrogate pair).
pub(crate) fn text(json: &str) -> Option<String> {
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { None }
}

/// Where the value ends that the text begins with.
fn end_of_value(text: &str) -> usize {
    let (mut place, mut depth) = (0, 0_usize);
    while let Some(found) = text[place..].find(['"', '{', '}', '[', ']', ',']) {
        place += found;
        match text.as_bytes()[place] {
            b'"' => place = end_of_string(text, place),
            b'{' | b'[' => (place, depth) = (place + 1, depth + 1),
            b',' if depth > 0 => place += 1,
            b',' => return text[..place].trim_end().len(),
            _ if depth == 0 => return text[..place].trim_end().len(),
            _ => (place, depth) = (place + 1, depth - 1),
        }
        if depth == 0 {
            return place;
        }
    }
    text.len()
}

/// Where the string ends that begins at a place.
fn end_of_string(text: &str, start: usize) -> usize {
    let mut place = start + 1;
    while let Some(found) = text[place..].find(['"', '\\']) {
        place += found + 1;
        if text.as_bytes()[place - 1] == b'"' {
            return place;
        }
        place += 1;
    }
    text.len()
}
