//! The process environment as a lookup: the one place that reads it.

/// Looks variables up in the environment of this process.
///
/// A value that is not UTF-8 comes with replacement characters, which no reader of a setting accepts: as "not set" it would
/// silently become a default.
pub fn environment() -> impl Fn(&str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    |variable| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_set_and_nothing_else() {
        let lookup = environment();
        assert_eq!(lookup("CARGO_PKG_NAME").as_deref(), Some("startup"), "cargo sets this for every test");
        assert_eq!(lookup("POOLKEEPER_IS_NEVER_SET"), None);
    }
}
