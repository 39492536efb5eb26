//! A JSON object as a list of members in their original text. Preserves numbers beyond `f64`, lone surrogates, the
//! order of members, duplicate members and any depth of nesting, but not the whitespace between members.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The members in their original order.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<Member<'a>>);

/// One member: name and value as JSON text.
#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
}

impl Object<'_> {
    /// Returns the value of a member as JSON text. Of duplicate members, the last counts, as in common JSON parsers.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next_back()
    }

    /// Returns the values of all members with this name.
    pub(crate) fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter(move |member| member.is(name)).map(|member| &*member.value)
    }

    /// Sets the value (JSON text) of all members with this name, or appends a member.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        let mut is_present = false;
        for member in self.0.iter_mut().filter(|member| member.is(name)) {
            member.value = Cow::Owned(value.to_owned());
            is_present = true;
        }
        if !is_present {
            let name = Cow::Owned(Value::from(name).to_string());
            self.0.push(Member { name, value: Cow::Owned(value.to_owned()) });
        }
    }
}

impl Member<'_> {
    /// Whether the member has this name, which can be written with escapes.
    fn is(&self, name: &str) -> bool {
        serde_json::from_str::<Cow<'_, str>>(&self.name).is_ok_and(|own| own == name)
    }
}

impl fmt::Display for Object<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "{";
        for Member { name, value } in &self.0 {
            write!(formatter, "{separator}{name}:{value}")?;
            separator = ",";
        }
        formatter.write_str(if self.0.is_empty() { "{}" } else { "}" })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            members.push(Member { name: Cow::Borrowed(name.get()), value: Cow::Borrowed(value.get()) });
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn preserves_unchanged_members() {
        for text in [
            "{}",
            r#"{"a":1}"#,
            r#"{"z":null,"a":[{"b":{}}],"a":2}"#,
            r#"{"large":123456789012345678901234567890,"small":1.10e-400,"negative":-0.0}"#,
            r#"{"\ud800":"\udfff","\u0000":"\u0000","é":"日本"}"#,
        ] {
            assert_eq!(object(text).to_string(), text);
        }
        assert_eq!(object("{ \"a\" : [ 1 ],\n \"b\": 2 }").to_string(), r#"{"a":[ 1 ],"b":2}"#);
    }

    #[test]
    fn rejects_text_that_is_not_an_object() {
        for text in ["null", "[]", "1", "\"{}\"", "", "{", "{}}", "{\"a\"}", "{1:2}"] {
            assert!(serde_json::from_str::<Object<'_>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn finds_last_member_with_a_name() {
        let object = object(r#"{"a":1,"b":2,"a":3,"\u0062\u0062":4,"\ud800":5}"#);
        assert_eq!(object.get("a"), Some("3"));
        assert_eq!(object.get("b"), Some("2"));
        assert_eq!(object.get("bb"), Some("4"), "written with escapes");
        assert_eq!(object.get("c"), None);
        assert_eq!(object.all("a").collect::<Vec<_>>(), ["1", "3"]);
    }

    #[test]
    fn sets_all_members_with_a_name_or_appends_one() {
        let table = [
            ("{}", r#"{"a":true}"#),
            (r#"{"b":1}"#, r#"{"b":1,"a":true}"#),
            (r#"{"a":null,"b":1}"#, r#"{"a":true,"b":1}"#),
            (r#"{"a":1,"a":2,"b":3}"#, r#"{"a":true,"a":true,"b":3}"#),
            (r#"{"\u0061":1}"#, r#"{"\u0061":true}"#),
        ];
        for (before, after) in table {
            let mut object = object(before);
            object.set("a", "true");
            assert_eq!(object.to_string(), after);
        }
    }
}
